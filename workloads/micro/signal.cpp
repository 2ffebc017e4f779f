// signal: a process sends itself a signal and its handler runs: kill, delivery, handler, return
// from it. The check value counts runs of the handler.
#include <signal.h>

#include "marker.h"

namespace {

volatile std::uint64_t handled;

void on_signal(int) {
  handled = handled + 1;
}

void send(std::uint64_t count) {
  const pid_t self = getpid();
  for (std::uint64_t i = 0; i < count; ++i) kill(self, SIGUSR1);
}

}  // namespace

int main(int argc, char** argv) {
  constexpr const char* name = "signal";
  const micro::Arguments arguments(name, argc, argv, 5'000);
  micro::Marker marker(name);
  struct sigaction action {};
  action.sa_handler = on_signal;
  if (sigaction(SIGUSR1, &action, nullptr) != 0) micro::fail(name, "sigaction failed");
  send(arguments.count / 10 + 1);
  handled = 0;
  for (std::uint64_t pair = 0; pair < arguments.pairs; ++pair) {
    marker.start(arguments.count);
    send(arguments.count);
    marker.stop();
  }
  return micro::report(name, handled);
}
