// signal: a process sends itself a signal and its handler runs: kill, delivery, handler, return
// from it. The check value counts runs of the handler.
#include <signal.h>

#include "marker.h"

namespace {

volatile std::uint64_t handled;

void on_signal(int) {
  handled = handled + 1;
}

std::uint64_t send(std::uint64_t count) {
  const pid_t self = getpid();
  handled = 0;
  for (std::uint64_t i = 0; i < count; ++i) kill(self, SIGUSR1);
  return handled;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr const char* name = "signal";
  const micro::Arguments arguments(name, argc, argv, 5'000);
  struct sigaction action {};
  action.sa_handler = on_signal;
  if (sigaction(SIGUSR1, &action, nullptr) != 0) micro::fail(name, "sigaction failed");
  return micro::report(name, micro::measure(name, arguments, arguments.count / 10 + 1, send));
}
