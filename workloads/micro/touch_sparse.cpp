// touch-sparse: first touch of one page in 64 of anonymous memory: each fault stands alone, and
// what a kernel maps around it is work for nothing. Regions of 256 MiB, until COUNT pages are
// touched. The check value counts pages that came zeroed.
#include "region.h"

namespace {

constexpr const char* name = "touch-sparse";
constexpr std::uint64_t region_pages = 65536, stride = 64;

std::uint64_t touch(std::uint64_t pages) {
  std::uint64_t zeroed = 0;
  while (pages > 0) {
    const std::uint64_t now = pages < region_pages / stride ? pages : region_pages / stride;
    micro::Region region(name, region_pages);
    for (std::uint64_t i = 0; i < now; ++i) zeroed += region.touch(i * stride, i);
    pages -= now;
  }
  return zeroed;
}

}  // namespace

int main(int argc, char** argv) {
  const micro::Arguments arguments(name, argc, argv, region_pages / stride);
  micro::Marker marker(name);
  touch(region_pages / stride);
  std::uint64_t zeroed = 0;
  for (std::uint64_t pair = 0; pair < arguments.pairs; ++pair) {
    marker.start(arguments.count);
    zeroed += touch(arguments.count);
    marker.stop();
  }
  return micro::report(name, zeroed);
}
