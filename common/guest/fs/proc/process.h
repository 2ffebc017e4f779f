// /proc/PID and /proc/PID/task/TID: a process or one of its threads as files. The directories are
// process.cpp's, fd and fdinfo are descriptors.cpp's, and what the other files say is told by the
// file that is named above each of the functions here.
#pragma once

#include "guest/fs/proc/node.h"
#include "guest/mm/address_space.h"
#include "guest/proc/process.h"

namespace guest {

/// As stat tells it: whose process it is. Root's if it is gone.
void tell_owner(Stat& stat, int id);

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

// mounts.cpp: the mounts, which are the same for all.
Result<String> process_mounts(Thread& thread);
Result<String> process_mountinfo(Thread& thread);

// status.cpp. Of a process its leader stands for; stat differs in whose CPU time it tells.
Result<String> process_stat(Thread& thread);
Result<String> thread_stat(Thread& thread);
Result<String> process_status(Thread& thread);

// memory.cpp
struct MemoryUse {
  Pages mapped, stack, text, data;
  Pages resident, anonymous, peak;
};
MemoryUse memory_of(const Process& process);
Result<> add_memory_lines(String& text, const Process& process);
Result<String> process_statm(Thread& thread);
Result<String> process_maps(Thread& thread);
Result<String> process_smaps(Thread& thread);
Result<String> process_smaps_rollup(Thread& thread);

// limits.cpp
Result<String> process_limits(Thread& thread);
Result<String> process_io(Thread& thread);
Result<String> process_oom_score(Thread& thread);
Result<String> process_oom_score_adj(Thread& thread);
Result<> set_oom_score_adj(Thread& thread, std::string_view text);

// arguments.cpp
MemoryRange argument_range(Thread& thread);
MemoryRange environment_range(Thread& thread);
Result<std::size_t> read_process_memory(Thread& thread, MemoryRange range, std::uint64_t at,
                                        UserAddress to, std::size_t bytes);

}  // namespace guest
