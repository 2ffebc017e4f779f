// A signal soon, and again and again, with a handler that asks for calls to be made again.
#pragma once

#include <sys/time.h>

#include "check.h"

inline void nothing(int) {}
inline void interrupt_soon() {
  struct sigaction action = {};
  action.sa_handler = nothing;
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, nullptr);
  const itimerval soon = {{0, 20'000}, {0, 50'000}};
  setitimer(ITIMER_REAL, &soon, nullptr);
}
inline void interrupt_no_more() {
  const itimerval never = {};
  setitimer(ITIMER_REAL, &never, nullptr);
}
