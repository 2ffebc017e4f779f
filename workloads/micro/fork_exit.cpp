// fork-exit: a child that ends at once, and waiting for it. The check value is how many ended with
// the exit status that was their own.
#include "children.h"

namespace {

constexpr const char* name = "fork-exit";

std::uint64_t fork_and_wait(std::uint64_t count) {
  return micro::run_children(name, count, [](int status) { _exit(status); });
}

}  // namespace

int main(int argc, char** argv) {
  const micro::Arguments arguments(name, argc, argv, 500);
  return micro::report(name,
                       micro::measure(name, arguments, arguments.count / 10 + 1, fork_and_wait));
}
