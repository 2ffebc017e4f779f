// Thread: a task that runs a process's user code, with what is its own there, as on Linux: signals
// and what it blocks of them, credentials, name, and the user addresses that its end concerns.
#pragma once

#include <cstdint>
#include <string_view>

#include "guest/abi/structs.h"
#include "guest/base/list.h"
#include "guest/base/ref.h"
#include "guest/base/result.h"
#include "guest/proc/credentials.h"
#include "guest/proc/futex_waiter.h"
#include "guest/proc/signal.h"
#include "guest/proc/signal_frame.h"
#include "guest/proc/timer_clock.h"
#include "guest/sched/scheduler.h"
#include "guest/sched/task.h"

namespace guest {

class Process;
struct Args;  // syscall/args.h

/// A call that goes on, after an interruption, with what is left of its time: restart_syscall makes
/// it again. Filled by syscall/restart.h.
struct RestartBlock {
  Result<std::int64_t> (*call)(const Args&, std::uint64_t deadline_ns) = nullptr;  // or none
  std::uint64_t arguments[6] = {};
  std::uint64_t deadline_ns = 0;
};

class Thread final : public Task {
 public:
  /// A thread of `process` with stack and vector area (in its initial state), not yet runnable,
  /// nor listed (Process::add). ENOMEM.
  static Result<Thread*> create(Process& process, int tid);
  /// One that never runs.
  static Result<Thread*> create_idle(Process& process, int tid);
  ~Thread() override;

  void switched_in() override;
  [[noreturn]] void begin() override;
  void left() override;

  Process& process;
  int tid;
  ListNode process_node;
  bool ended = false;  // what remains until its process is gone is a leader's object

  /// It must not go back to user mode: its process is ending, or another thread's execve is.
  [[nodiscard]] bool must_end() const;

  PendingSignals pending;  // for this thread alone
  SignalSet blocked_signals = 0;
  SignalSet awaited_signals = 0;  // sigtimedwait takes these even if blocked or ignored
  SignalSet mask_to_restore = 0;  // meaningful with Attention::saved_mask
  abi::SignalStack alternate_stack{};
  abi::LastTrap last_trap;

  Credentials credentials;
  RestartBlock restart_block;
  CpuTimers cpu_timers;      // those on its CPU time
  FutexWaiter futex_waiter;  // others reach it while this thread sleeps

  std::uint64_t set_child_tid = 0;  // user addresses, 0 for none
  std::uint64_t clear_child_tid = 0;
  std::uint64_t robust_list = 0;
  char name[16] = {};  // PR_SET_NAME
  /// Cut to fit.
  void set_name(std::string_view wanted);

 private:
  Thread(Process& process, int tid);

  Ref<Process> owner_;  // keeps `process` alive for as long as this stack runs
};

/// Every task that runs here is a Thread.
inline Thread& current_thread() {
  return static_cast<Thread&>(scheduler.current());
}

/// The way out of the kernel, to user mode: the trap path's (trap/upcall.cpp).
extern "C" [[noreturn]] void leave_kernel();

}  // namespace guest
