// IntervalTimer: one of the three that each process has, of setitimer and alarm. A fork does not
// have what its parent has set, an execve keeps it. The calls are in syscall/interval_calls.cpp.
#pragma once

#include <cstdint>

#include "guest/proc/timer_clock.h"

namespace guest {

class IntervalTimer {
 public:
  IntervalTimer(Process& process, int signal, TimerClock clock);
  ~IntervalTimer() { stop(); }
  IntervalTimer(const IntervalTimer&) = delete;
  IntervalTimer& operator=(const IntervalTimer&) = delete;

  /// First in `value_ns`, then every `interval_ns`, or only once if that is 0.
  void start(std::uint64_t value_ns, std::uint64_t interval_ns);
  void stop();
  [[nodiscard]] std::uint64_t left_ns() const { return timer_.left_ns(clock_.now()); }
  [[nodiscard]] std::uint64_t interval_ns() const { return interval_ns_; }

 private:
  void ring();

  Process& process_;
  const int signal_;
  const TimerClock clock_;
  Timer timer_;
  std::uint64_t interval_ns_ = 0;
};

}  // namespace guest
