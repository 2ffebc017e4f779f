// The scheduler: round robin over one CPU. Kernel mode is not pre-emptible: a task leaves the
// CPU when it blocks, exits, or on its way to user mode when its slice is over.
#pragma once

#include <cstddef>
#include <cstdint>

#include "guest/sched/load_average.h"
#include "guest/sched/run_queue.h"
#include "guest/sched/task.h"
#include "guest/sched/timer_list.h"

namespace guest {

class Scheduler {
 public:
  constexpr Scheduler() = default;

  [[nodiscard]] Task& current() const { return *current_; }
  [[nodiscard]] bool started() const { return current_ != nullptr; }

  /// Puts a task in the queue; no effect on one that is there or running.
  void wake(Task& task);

  /// The one way to sleep: takes the current task off the CPU until wake(), or until
  /// `deadline_ns` (CLOCK_MONOTONIC, 0 for none): ETIMEDOUT. Errno::restart: a signal waits that
  /// `interrupt` lets in; the caller passes it up, or says what else becomes of its call. The
  /// caller has put itself where a waker will find it, and looks again after a wake().
  Result<> block(std::uint64_t deadline_ns = 0,
                 Task::Interrupt interrupt = Task::Interrupt::by_any_signal);
  /// Lets the others run first.
  void yield();
  /// For work whose length a program chooses, each pause_bytes or so, where nothing is half done:
  /// lets others run whose turn it is. True: such a signal waits, and the work should end with what
  /// it has done.
  bool pause(Task::Interrupt interrupt = Task::Interrupt::by_any_signal);
  /// The current task is done; its memory goes once the CPU is on another stack.
  [[noreturn]] void exit_current();

  /// Interrupt timer: expired timers, end of the time slice.
  void tick();
  [[nodiscard]] bool must_yield() const { return must_yield_; }

  void set_timer(Timer& timer, std::uint64_t deadline);
  void cancel_timer(Timer& timer);

  /// The first task of all becomes the current one while boot still runs on its own stack; then
  /// it starts, and the boot stack is left behind.
  void adopt(Task& first);
  [[noreturn]] void start();
  /// After every switch, on the stack switched to: also a new task's first step.
  void finish_switch();

  /// CPU time of a task, including its present turn.
  const CpuTime& cpu_time(Task& task);
  const CpuShares& cpu_shares(Task& task);
  /// Of all tasks there have been.
  const CpuShares& cpu_shares();
  /// Up to now, over 1, 5 or 15 minutes (0, 1, 2).
  [[nodiscard]] std::uint64_t load_average(int span);

 private:
  void switch_away();
  Task& next_thread();
  void update_deadline();
  void sample_load(std::uint64_t now);
  void begin_turn();
  void charge_turn();

  Task* current_ = nullptr;
  Task* dead_ = nullptr;  // told so after the next switch
  bool must_yield_ = false;
  std::uint64_t turn_began_ = 0;  // TSC, or when it was last charged; 0: none
  std::uint32_t ticks_in_user_ = 0, ticks_in_kernel_ = 0;  // as the monitor had counted then
  CpuTime cpu_time_;                                       // of all
  CpuShares cpu_shares_;
  RunQueue queue_;
  TimerList timers_;
  LoadAverage load_;
};

inline constexpr std::size_t pause_bytes = 256 * 1024;

extern Scheduler scheduler;

}  // namespace guest
