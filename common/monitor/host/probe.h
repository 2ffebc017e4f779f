// What the host allows, found out by trying it. Each probe works in a child process of its own, so
// that neither a filter, a signal nor an unmapped vdso stays behind. Used by host_check.cpp and
// guest_memory.cpp.
#pragma once

#include <cstdint>
#include <string>

namespace monitor::probe {

/// "" when it works, otherwise why it does not ("Operation not permitted").
std::string seccomp_trap();        // a filter's RET_TRAP arrives as SIGSYS
std::string ptrace_child();        // a parent may trace and emulate its child's system calls
std::string unmap_vdso();          // the vdso can be unmapped (not sealed)
std::string collapse_memfd();      // MADV_COLLAPSE makes 2 MiB pages of a memfd
std::string private_namespaces();  // mount and PID namespace with a tmpfs, as standalone needs

/// "--xp" of the vsyscall page, "" when the host has none.
std::string vsyscall_permissions();

/// A word of a "flags" line in /proc/cpuinfo.
bool cpu_has(const std::string& flag);

/// First line of a file, "" when it cannot be read.
std::string first_line(const std::string& path);

/// A number in a one-line file; `otherwise` when it cannot be read or is "max".
std::uint64_t number_in(const std::string& path, std::uint64_t otherwise);

/// MemAvailable in bytes; the largest number when the host does not say.
std::uint64_t memory_available();

}  // namespace monitor::probe
