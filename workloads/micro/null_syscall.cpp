// null-syscall: getppid, the cheapest call there is, by an inlined `syscall` instruction. Run as
// the first process of a guest or under the standalone runner; says what a trap into the kernel and
// back costs. The check value is how many calls gave the same answer as the first one.
#include "marker.h"

namespace {

inline long raw_getppid() {
  // The number as an immediate, as in any C library's call site.
  long result;
  asm volatile("mov $110, %%eax\n\tsyscall" : "=a"(result) : : "rcx", "r11", "memory");
  return result;
}

std::uint64_t call(std::uint64_t count, long expected) {
  std::uint64_t same = 0;
  for (std::uint64_t i = 0; i < count; ++i) same += raw_getppid() == expected;
  return same;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr const char* name = "null-syscall";
  const micro::Arguments arguments(name, argc, argv, 20'000);
  const long expected = raw_getppid();
  if (expected < 0) micro::fail(name, "getppid failed");
  return micro::report(name,
                       micro::measure(name, arguments, arguments.count / 10 + 1,
                                      [&](std::uint64_t count) { return call(count, expected); }));
}
