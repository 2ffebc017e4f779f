// The one flag that a signal handler can set.
#include "workloads/harness/interrupts.h"

namespace harness {
namespace {

constexpr int signals[] = {SIGINT, SIGTERM, SIGHUP};
volatile std::sig_atomic_t arrived = 0;

void remember(int signal) {
  arrived = signal;
}

}  // namespace

InterruptGuard::InterruptGuard() {
  arrived = 0;
  struct sigaction action {};
  action.sa_handler = remember;  // without SA_RESTART: poll() must return
  for (int i = 0; i < 3; ++i) sigaction(signals[i], &action, &previous_[i]);
}

InterruptGuard::~InterruptGuard() {
  for (int i = 0; i < 3; ++i) sigaction(signals[i], &previous_[i], nullptr);
}

int InterruptGuard::pending() {
  return arrived;
}

}  // namespace harness
