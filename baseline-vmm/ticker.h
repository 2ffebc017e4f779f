// The VMM's clock tick: SIGALRM every 10 ms, only to end a wait. What the process had set up for
// SIGALRM and SIGPIPE before comes back when the ticker goes.
#pragma once

#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

namespace baseline {

class Ticker {
 public:
  static constexpr long period_us = 10'000;

  Ticker();
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  /// True once for each tick, or several that came together.
  bool take();
  /// As if it ticked for `waiter` now: something has happened. From any thread.
  static void ring(pthread_t waiter) { pthread_kill(waiter, SIGALRM); }

 private:
  struct sigaction old_alarm_ {};
  struct sigaction old_pipe_ {};
  itimerval old_timer_{};
};

}  // namespace baseline
