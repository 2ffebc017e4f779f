// touch-sparse: first touch of one page in 64 of anonymous memory: each fault stands alone, and
// what a kernel maps around it is work for nothing. Regions of 256 MiB, until COUNT pages are
// touched. The check value counts pages that came zeroed.
#include "region.h"

namespace {

constexpr const char* name = "touch-sparse";
constexpr std::uint64_t region_pages = 65536, stride = 64;

std::uint64_t touch(std::uint64_t pages) {
  return micro::touch_regions(name, pages, region_pages, region_pages / stride,
                              [](std::uint64_t i) { return i * stride; });
}

}  // namespace

int main(int argc, char** argv) {
  const micro::Arguments arguments(name, argc, argv, region_pages / stride);
  return micro::report(name, micro::measure(name, arguments, region_pages / stride, touch));
}
