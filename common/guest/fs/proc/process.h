// /proc/PID: one guest process as files. The directories are proc_process.cpp's, what the files in
// them say is proc_status.cpp's, and fd is proc_descriptors.cpp's.
#pragma once

#include "guest/fs/proc/node.h"
#include "guest/proc/process.h"

namespace guest {

/// Inode numbers of a process's files start here; those below are the rest of /proc.
constexpr std::uint64_t proc_number(int pid) {
  return static_cast<std::uint64_t>(pid) << 16;
}

/// The directory of that process, found in /proc. ENOENT: there is none.
Result<Ref<Inode>> make_process_directory(std::string_view name, Ref<Inode> above);
/// The number that `name` is, without leading zeros. ENOENT: it is none, or `limit` or more.
Result<int> proc_number_in(std::string_view name, int limit);

/// The mounts, which are the same for all, with their numbers (proc_mountinfo.cpp).
Result<String> process_mountinfo(Process& process);
Result<String> process_stat(Process& process);
Result<String> process_statm(Process& process);
Result<String> process_status(Process& process);
Result<String> process_maps(Process& process);
/// At most 15 characters; a zombie's, too.
std::string_view process_name(const Process& process);

}  // namespace guest
