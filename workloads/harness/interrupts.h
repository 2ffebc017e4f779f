// Ctrl-C and SIGTERM during a run: noticed between and during launches, never in the middle of a
// line of results.
#pragma once

#include <csignal>

namespace harness {

/// Thrown where the run stops; carries the signal.
struct Interrupted {
  int signal;
};

/// While one lives, SIGINT, SIGTERM and SIGHUP are remembered instead of obeyed. They interrupt
/// poll(): whoever waits looks at pending() then.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  /// The signal that came, or 0.
  static int pending();
  static void check() {
    if (const int signal = pending()) throw Interrupted{signal};
  }

 private:
  struct sigaction previous_[3];
};

}  // namespace harness
