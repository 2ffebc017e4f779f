// The VMM's clock tick: SIGALRM every 10 ms, only to end a wait. What the process had set up for
// SIGALRM and SIGPIPE before comes back when the ticker goes.
#pragma once

#include <sched.h>
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

 private:
  struct sigaction old_alarm_ {};
  struct sigaction old_pipe_ {};
  itimerval old_timer_{};
};

/// Runs this process on one CPU as long as it lives: VMM and guest-machine process share it.
class Pinned {
 public:
  explicit Pinned(int cpu);
  ~Pinned();
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;

 private:
  cpu_set_t old_{};
};

/// The CPU that MachineConfig::cpu means: the last allowed one when it says -1.
int choose_cpu(int wanted);

}  // namespace baseline
