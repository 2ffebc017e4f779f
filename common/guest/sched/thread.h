// Thread: what the scheduler runs. Its kernel stack comes from the kernel heap, with the trap
// frame at the top and a canary at the bottom:
//
//   stack + kernel_stack_bytes   ----------------------------------------
//                                TrapFrame       filled by the monitor at every upcall
//   frame                        ---------------------------------------- rsp at an upcall
//                                kernel calls
//   kernel_sp                    ----------------------------------------
//                                saved registers of switch_context, while not running
//                                (free)
//   stack                        canary
#pragma once

#include <cstdint>

#include "guest/base/list.h"
#include "guest/base/ref.h"
#include "guest/base/result.h"
#include "guest/proc/signal.h"
#include "guest/sched/futex_waiter.h"
#include "guest/sched/timer_list.h"
#include "guest/sched/wait_queue.h"
#include "vmi/trap_frame.h"

namespace guest {

class Process;

inline constexpr std::size_t kernel_stack_bytes = 16 * 1024;

class Thread {
 public:
  enum class State : std::uint8_t { runnable, blocked, dead };
  /// What may end a block() besides a wake-up.
  enum class Interrupt : std::uint8_t { never, by_kill, by_any_signal };

  /// A thread of `process` with stack and vector area (in its initial state), not yet runnable.
  /// ENOMEM.
  static Result<Thread*> create(Process& process, int tid);
  ~Thread();
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  void check_canary() const;

  // -- Vector state (XSAVE layout, BootInfo::xsave_bytes). The CPU may hold a newer copy.
  /// Before user mode: the CPU's vector registers must be this thread's.
  void load_vectors() {
    if (vectors_in_cpu_ != this) switch_vectors();
  }
  /// The state in memory, brought up to date.
  unsigned char* vectors_in_memory();
  /// After a change to vectors_in_memory(), or at their end: the CPU's copy, if any, is stale.
  void vectors_changed();
  void copy_vectors(Thread& from);
  void reset_vectors();

  ListNode run_node;
  Process& process;
  vmi::TrapFrame* frame = nullptr;
  std::uint64_t kernel_sp = 0;
  int tid;
  State state = State::blocked;
  Interrupt interrupt = Interrupt::never;
  bool timed_out = false;
  // What others reach while it sleeps (see wait_queue.h), for one wait at a time.
  Timer timer;
  Waiter waiter;
  FutexWaiter futex_waiter;

  // -- Something to do before user mode: kept as one byte, so that the way out tests one byte.
  enum Attention : std::uint8_t { signals = 1, restart = 2, saved_mask = 4 };
  std::uint8_t attention = 0;

  SignalSet blocked_signals = 0;
  SignalSet awaited_signals = 0;  // sigtimedwait takes these even if blocked or ignored
  SignalSet mask_to_restore = 0;  // meaningful with Attention::saved_mask
  abi::SignalStack alternate_stack{};

  std::uint64_t set_child_tid = 0;  // user addresses, 0 for none
  std::uint64_t clear_child_tid = 0;
  std::uint64_t cpu_ticks = 0;  // TSC ticks on the CPU, up to the last switch
  char name[16] = {};           // PR_SET_NAME

 private:
  Thread(Process& process, int tid, unsigned char* stack, unsigned char* vectors);
  static void wake_sleeper(Timer& timer);
  void switch_vectors();

  static Thread* vectors_in_cpu_;  // whose vector state the CPU holds

  Ref<Process> owner_;  // keeps `process` alive for as long as this stack runs
  unsigned char* stack_;
  unsigned char* vectors_;          // as allocated
  unsigned char* aligned_vectors_;  // XSAVE wants 64 bytes
  bool vectors_written_ = true;     // by the kernel, since the CPU had them
};

}  // namespace guest
