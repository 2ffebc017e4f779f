// clock-gettime: reading the clock by the C library, as programs do all the time: through the vDSO
// where there is one, else a system call. The check value counts readings that did not run
// backwards.
#include "marker.h"

namespace {

std::uint64_t read_clock(std::uint64_t count) {
  std::uint64_t forward = 0, last = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t now = micro::now_ns();
    forward += now >= last && now != 0;
    last = now;
  }
  return forward;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr const char* name = "clock-gettime";
  const micro::Arguments arguments(name, argc, argv, 20'000);
  return micro::report(name, micro::measure(name, arguments, arguments.count / 10 + 1, read_clock));
}
