// touch-rand: first touch of all pages of 256 MiB of anonymous memory in random order: page faults
// that no guess about the next one makes rarer, in mappings that grow together from pieces. COUNT
// pages are touched, region by region. The check value counts pages that came zeroed.
#include "region.h"

namespace {

constexpr const char* name = "touch-rand";
constexpr std::uint64_t region_pages = 65536;  // 256 MiB

/// i -> a page, each once: an affine map modulo a power of two, then a bit mix that is its own
/// inverse. Always the same order.
std::uint64_t shuffled(std::uint64_t i) {
  std::uint64_t x = (i * 40503 + 12345) % region_pages;
  x ^= x >> 8;
  return x * 48271 % region_pages;
}

std::uint64_t touch(std::uint64_t pages) {
  std::uint64_t zeroed = 0;
  while (pages > 0) {
    const std::uint64_t now = pages < region_pages ? pages : region_pages;
    micro::Region region(name, region_pages);
    for (std::uint64_t i = 0; i < now; ++i) zeroed += region.touch(shuffled(i), i);
    pages -= now;
  }
  return zeroed;
}

}  // namespace

int main(int argc, char** argv) {
  const micro::Arguments arguments(name, argc, argv, region_pages);
  micro::Marker marker(name);
  touch(region_pages);
  std::uint64_t zeroed = 0;
  for (std::uint64_t pair = 0; pair < arguments.pairs; ++pair) {
    marker.start(arguments.count);
    zeroed += touch(arguments.count);
    marker.stop();
  }
  return micro::report(name, zeroed);
}
