// Names of x86-64 Linux system calls, for summaries and the observer's reports.
#pragma once

#include <cstdint>
#include <string>

namespace monitor {

/// "getppid"; "syscall 4242" for a number this build's headers do not name.
std::string syscall_name(std::uint64_t number);

}  // namespace monitor
