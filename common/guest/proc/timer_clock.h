// TimerClock: what a timer counts: CLOCK_MONOTONIC, or CPU time, of a process or of one of its
// threads. Used by the timers of timer_create and setitimer, by clock_nanosleep and RLIMIT_CPU.
//
// CPU time passes for whoever is on the CPU, as fast as CLOCK_MONOTONIC does. So a process whose
// time is counted has an alarm in the scheduler's list: set whenever a thread of it gets the CPU,
// for the moment when the first of these timers would be due if it kept it.
#pragma once

#include <cstdint>

#include "guest/sched/timer_list.h"

namespace guest {

class Process;
class Thread;

/// Timers on the CPU time of a process or of a thread; deadlines in nanoseconds of that.
struct CpuTimers {
  TimerList on_all, on_user;
  bool any = false;  // if not, there are none; each switch looks at it
};

class TimerClock {
 public:
  constexpr TimerClock() = default;  // CLOCK_MONOTONIC
  TimerClock(Process& process, bool user_mode_only)
      : process_(&process), user_mode_only_(user_mode_only) {}
  TimerClock(Thread& thread, bool user_mode_only);

  [[nodiscard]] bool counts_cpu_time() const { return process_ != nullptr; }
  [[nodiscard]] bool is_of(const Thread& thread) const { return thread_ == &thread; }
  [[nodiscard]] std::uint64_t now() const;
  /// `timer` is in no list, or in one by this same clock.
  void set(Timer& timer, std::uint64_t deadline) const;
  void cancel(Timer& timer) const;

 private:
  [[nodiscard]] CpuTimers& timers() const;
  [[nodiscard]] TimerList& list() const;

  Process* process_ = nullptr;
  Thread* thread_ = nullptr;
  bool user_mode_only_ = false;
};

/// A thread has got the CPU, or the timers on its time or on its process's have changed.
void watch_cpu_timers(Thread& running);
/// Process::cpu_alarm rings: expires what is due.
void expire_cpu_timers(Process& process);
/// A thread ends: its time will not go on, and timers on it are never due.
void forget_cpu_timers(Thread& thread);

/// RLIMIT_CPU is in force from now on as Process::limits has it.
void set_cpu_limit(Process& process);
/// Process::cpu_limit is due.
void reach_cpu_limit(Process& process);

}  // namespace guest
