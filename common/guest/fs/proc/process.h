// /proc/PID and /proc/PID/task/TID: a process or one of its threads as files. The directories are
// process.cpp's, what the files in them say is status.cpp's, and fd is
// descriptors.cpp's.
#pragma once

#include "guest/fs/proc/node.h"
#include "guest/proc/process.h"

namespace guest {

/// Inode numbers of a process's files start here; those below are the rest of /proc.
constexpr std::uint64_t proc_number(int pid) {
  return static_cast<std::uint64_t>(pid) << 16;
}

/// The directory of that process, found in /proc; as on Linux a thread's number will do, which
/// /proc does not list. ENOENT: there is none.
Result<Ref<Inode>> make_process_directory(std::string_view name, Ref<Inode> above);
/// /proc/PID/task (task.cpp), and what it holds for each thread.
Result<Ref<Inode>> make_task_directory(int pid, Ref<Inode> above);
Result<Ref<Inode>> make_thread_directory(int tid, Ref<Inode> above);
/// The number that `name` is, without leading zeros. ENOENT: it is none, or `limit` or more.
Result<int> proc_number_in(std::string_view name, int limit);

/// The mounts, which are the same for all, with their numbers (mountinfo.cpp).
Result<String> process_mountinfo(Thread& thread);
// Of a process its leader stands for; stat differs in whose CPU time it tells.
Result<String> process_stat(Thread& thread);
Result<String> thread_stat(Thread& thread);
Result<String> process_statm(Thread& thread);
Result<String> process_status(Thread& thread);
Result<String> process_maps(Thread& thread);

}  // namespace guest
