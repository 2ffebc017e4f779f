// The first process: the last step of booting.
#pragma once

#include "guest/heap/string.h"
#include "guest/heap/vec.h"

namespace guest {

/// Called last by boot. Loads argv[0] with the console streams as descriptors 0, 1, 2 and enters
/// it. When the program cannot be loaded, says why on the console and ends the machine with the
/// shell's status for it: 127 not found, 126 not executable.
[[noreturn]] void start_first_process(const Vec<String>& argv, const Vec<String>& envp);

}  // namespace guest
