// Task: what the scheduler runs: a kernel stack, vector state, and whether it wants the CPU. Whose
// it is and what it works with is its owner's part: proc's Thread, which derives from it. The
// kernel stack is in a slot, maybe with others' (stack_slots.h), with the trap frame at the top and
// a canary at the bottom:
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
#include "guest/base/result.h"
#include "guest/heap/heap.h"
#include "guest/sched/cpu_time.h"
#include "guest/sched/listener.h"
#include "guest/sched/stack_slots.h"
#include "guest/sched/timer_list.h"
#include "vmi/trap_frame.h"

namespace guest {

inline constexpr std::size_t kernel_stack_bytes = 16 * 1024;

class Task : public Allocated<HeapKind::process> {
 public:
  enum class State : std::uint8_t { runnable, blocked, dead };
  /// Which signals end a sleep.
  enum class Interrupt : std::uint8_t { never, by_kill, by_any_signal };

  virtual ~Task();
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  // -- Called by the scheduler, on the task's own stack.
  /// It has the CPU, again or still: whatever else goes with it must follow.
  virtual void switched_in() = 0;
  /// Its first steps, after its first switch.
  [[noreturn]] virtual void begin() = 0;

  /// Called by the scheduler, on another stack, when the CPU has left a dead task for good: its
  /// stack and vectors may go (free_memory), and so may the task.
  virtual void left() = 0;

  void check_canary() const;

  /// A listener that wakes this task, for those who wait on several queues.
  Listener waker(Events wanted);
  /// Is its stack where it can run on it?
  [[nodiscard]] bool in_place() const { return place_.resident(); }
  /// Puts it there, on a stack in no slot (switch_context_apart).
  void come_back();
  /// At boot: memory for all slots, while there is some.
  static Result<> prepare_stacks();

  // -- Vector state (XSAVE layout, BootInfo::xsave_bytes). The CPU may hold a newer copy.
  /// Before user mode: the CPU's vector registers must be this task's.
  void load_vectors() {
    if (vectors_in_cpu_ != this) switch_vectors();
  }
  /// The state in memory, brought up to date.
  unsigned char* vectors_in_memory();
  /// After a change to vectors_in_memory(), or at their end: the CPU's copy, if any, is stale.
  void vectors_changed();
  void copy_vectors(Task& from);
  void reset_vectors();

  ListNode run_node;
  vmi::TrapFrame* frame = nullptr;  // wherever the stack is at the moment
  std::uint64_t kernel_sp = 0;      // in the slot
  State state = State::blocked;
  Interrupt interrupt = Interrupt::never;
  bool timed_out = false;
  // What others reach while it sleeps (see listener.h), for one wait at a time.
  Timer timer;
  Listener listener;

  // -- Something to do before user mode: kept as one byte, so that the way out tests one byte.
  // The scheduler reads two of them: `signals` ends a block(by_any_signal), `killed` any but
  // block(never).
  enum Attention : std::uint8_t { signals = 1, killed = 2, restart = 4, saved_mask = 8 };
  std::uint8_t attention = 0;
  [[nodiscard]] bool may_end(Interrupt wait) const {
    switch (wait) {
      case Interrupt::never:
        return false;
      case Interrupt::by_kill:
        return attention & killed;
      case Interrupt::by_any_signal:
        return attention & (signals | killed);
    }
    return false;
  }

  // Kept by the scheduler, who also knows of the present turn.
  CpuTime cpu_time;
  CpuShares cpu_shares;

 protected:
  /// Without a stack.
  Task();
  /// Gives it one, and vectors in their initial state. Not yet runnable. ENOMEM.
  Result<> take_stack();
  /// What remains is an object that can be looked at.
  void free_memory();

 private:
  static void first_steps();
  static void wake_sleeper(Listener& listener, Events happened);
  static void time_is_up(Timer& timer);
  void switch_vectors();
  void lay_out_stack();
  void go_home();
  void find_frame();
  [[nodiscard]] unsigned char* vectors() const;

  static Task* vectors_in_cpu_;  // whose vector state the CPU holds

  StackTenant place_;
  bool vectors_written_ = true;  // by the kernel, since the CPU had them
};

}  // namespace guest
