// compute: fixed integer and floating-point work, no system call, little memory: a virtual machine
// must not slow it. One operation is a round of some 10 ms. The check value mixes all results; the
// floating part uses only +, *, / and sqrt, which IEEE 754 rounds the same everywhere.
#include <cmath>
#include <cstring>

#include "marker.h"

namespace {

constexpr std::size_t words = 2048;  // 16 KiB: stays in the first-level cache
std::uint64_t table[words];

std::uint64_t round(std::uint64_t seed) {
  std::uint64_t x = seed * 0x9e3779b97f4a7c15u + 1;
  double accumulator = 1.0;
  for (unsigned i = 0; i < 1'000'000; ++i) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    table[x % words] += x;
    const double value = static_cast<double>(x >> 40) * 0x1p-24 + 0.5;
    accumulator = std::sqrt(accumulator * value + 1.0) / value;
  }
  std::uint64_t bits = 0;
  std::memcpy(&bits, &accumulator, sizeof bits);
  return bits ^ x ^ table[x % words];
}

std::uint64_t rounds(std::uint64_t count) {
  std::uint64_t mixed = 0;
  for (std::uint64_t i = 0; i < count; ++i) mixed = mixed * 31 + round(i);
  return mixed;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr const char* name = "compute";
  const micro::Arguments arguments(name, argc, argv, 50);
  return micro::report(name, micro::measure(name, arguments, arguments.count / 10 + 1, rounds));
}
