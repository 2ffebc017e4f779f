// See ticker.h.
#include "baseline-vmm/ticker.h"

#include "monitor/tool/error.h"

namespace baseline {

namespace {

volatile sig_atomic_t ticked;

void on_alarm(int) {
  ticked = 1;
}

}  // namespace

Ticker::Ticker() {
  struct sigaction alarm {};
  alarm.sa_handler = on_alarm;  // without SA_RESTART: the wait must end
  sigaction(SIGALRM, &alarm, &old_alarm_);
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;  // a closed stdout is the guest's EPIPE
  sigaction(SIGPIPE, &ignore, &old_pipe_);
  itimerval timer{{0, period_us}, {0, period_us}};
  if (setitimer(ITIMER_REAL, &timer, &old_timer_) != 0) {
    monitor::throw_errno("cannot start the VMM's timer");
  }
}

Ticker::~Ticker() {
  setitimer(ITIMER_REAL, &old_timer_, nullptr);
  sigaction(SIGALRM, &old_alarm_, nullptr);
  sigaction(SIGPIPE, &old_pipe_, nullptr);
}

bool Ticker::take() {
  bool taken = ticked != 0;
  ticked = 0;
  return taken;
}

}  // namespace baseline
