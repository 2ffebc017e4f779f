// fork-exit: a child that ends at once, and waiting for it. The check value is the sum of the exit
// statuses, each the child's own.
#include <sys/wait.h>

#include "marker.h"

namespace {

constexpr const char* name = "fork-exit";

std::uint64_t fork_and_wait(std::uint64_t count) {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const pid_t child = fork();
    if (child < 0) micro::fail(name, "fork failed");
    if (child == 0) _exit(static_cast<int>(i % 100 + 1));
    int status = 0;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
      micro::fail(name, "a child ended badly");
    }
    sum += static_cast<std::uint64_t>(WEXITSTATUS(status));
  }
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const micro::Arguments arguments(name, argc, argv, 500);
  micro::Marker marker(name);
  fork_and_wait(arguments.count / 10 + 1);
  std::uint64_t sum = 0;
  for (std::uint64_t pair = 0; pair < arguments.pairs; ++pair) {
    marker.start(arguments.count);
    sum += fork_and_wait(arguments.count);
    marker.stop();
  }
  return micro::report(name, sum);
}
