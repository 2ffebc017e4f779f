// The life of processes and threads: clone, execve, exit, wait. Called from process_calls.cpp and,
// for exit and stop, by signal delivery.
#pragma once

#include <cstdint>

#include "guest/base/result.h"
#include "guest/heap/string.h"
#include "guest/heap/vec.h"
#include "guest/proc/process.h"

namespace guest {

enum CloneFlags : std::uint64_t {
  clone_exit_signal = 0xff,
  clone_vm = 0x100,
  clone_fs = 0x200,
  clone_files = 0x400,
  clone_sighand = 0x800,
  clone_vfork = 0x4000,
  clone_parent = 0x8000,
  clone_thread = 0x10000,
  clone_sysvsem = 0x40000,
  clone_settls = 0x80000,
  clone_parent_settid = 0x100000,
  clone_child_cleartid = 0x200000,
  clone_detached = 0x400000,
  clone_untraced = 0x800000,
  clone_child_settid = 0x1000000,
  clone_io = 0x80000000,
  clone_clear_sighand = 0x100000000,
};

struct CloneRequest {
  std::uint64_t flags = 0;
  int exit_signal = 0;
  std::uint64_t stack = 0;  // user stack pointer, 0: the parent's
  std::uint64_t parent_tid = 0, child_tid = 0, tls = 0;
};

/// Returns the child's id to the parent (under CLONE_VFORK once the child has let go of the
/// memory). EAGAIN: too many processes, or too little kernel memory; EINVAL: flags not served.
Result<int> clone_task(const CloneRequest& request);
/// Another thread of the current process (CLONE_THREAD; flags as clone_task has judged them).
Result<Thread*> make_thread(const CloneRequest& request);

/// execve: ends the process's other threads, and makes the current one its leader. EAGAIN: the
/// process ends, or another execve came first; the current thread is to end too.
Result<> end_other_threads();

/// Ends the current thread, and with its last thread the process: with this wait status, unless the
/// process ends anyway. The first process's end is the machine's.
[[noreturn]] void end_thread(int wait_status);
/// Ends the current process, all its threads.
[[noreturn]] void end_process(int wait_status);
/// SIGKILL is pending for a process, or its threads must end: those asleep, too, are to find out.
void hurry_threads(Process& process);
constexpr int exit_status(int code) {
  return (code & 0xff) << 8;
}

/// The process stops until SIGCONT: its threads go to sleep on their way to user mode.
void stop_process(Process& process, int signal);
/// Does nothing to a process that is not stopped.
void continue_process(Process& process);

/// Which child, and which changes, wait4 and waitid ask for.
struct WaitRequest {
  enum class Who { any, pid, group } who = Who::any;
  int id = 0;
  bool usual = true, unusual = false;  // those whose end is told by SIGCHLD, and others
  bool exited = true, stopped = false, continued = false;
  bool no_hang = false, keep = false;
};
struct WaitReport {
  int pid = 0;  // 0: nothing to report (no_hang)
  int wait_status = 0;
  std::uint32_t uid = 0;
  CpuShares cpu;  // its own and its children's
  Pages peak_memory;
};
Result<WaitReport> wait_for_child(const WaitRequest& request);

/// The child stopped or goes on: wakes the parent, and sends SIGCHLD to one that wants to know.
void tell_parent_of_change(Process& child, int wait_status);
inline constexpr int continued_status = 0xffff;
/// siginfo of SIGCHLD, and what waitid reports, for a wait status.
abi::SigInfo child_signal(int pid, std::uint32_t uid, int wait_status);
/// What SIGCHLD says beside that.
void tell_times(abi::SigInfo& info, Process& child);

}  // namespace guest
