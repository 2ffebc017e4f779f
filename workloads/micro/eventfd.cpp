// eventfd: a number into a counter and out of it again, in one process: two system calls. The check
// value is how many came out as they went in.
#include <sys/eventfd.h>

#include "marker.h"

namespace {

constexpr const char* name = "eventfd";

std::uint64_t in_and_out(int fd, std::uint64_t count) {
  std::uint64_t right = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t given = i + 1;
    std::uint64_t taken = 0;
    right += write(fd, &given, sizeof given) == sizeof given &&
             read(fd, &taken, sizeof taken) == sizeof taken && taken == given;
  }
  return right;
}

}  // namespace

int main(int argc, char** argv) {
  const micro::Arguments arguments(name, argc, argv, 1000);
  const int fd = ::eventfd(0, 0);
  if (fd < 0) micro::fail(name, "eventfd failed");
  return micro::report(name,
                       micro::measure(name, arguments, arguments.count / 10 + 1,
                                      [&](std::uint64_t count) { return in_and_out(fd, count); }));
}
