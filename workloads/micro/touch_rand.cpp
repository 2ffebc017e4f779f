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
  return micro::touch_regions(name, pages, region_pages, region_pages, shuffled);
}

}  // namespace

int main(int argc, char** argv) {
  const micro::Arguments arguments(name, argc, argv, region_pages);
  return micro::report(name, micro::measure(name, arguments, region_pages, touch));
}
