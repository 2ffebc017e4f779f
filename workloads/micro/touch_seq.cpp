// touch-seq: first touch of anonymous memory, page after page: what a guest page fault costs,
// with all that the guest kernel does to make it rarer. Maps 64 MiB, writes one word to each page,
// unmaps, until COUNT pages are touched. The check value counts pages that came zeroed.
#include "region.h"

namespace {

constexpr const char* name = "touch-seq";
constexpr std::uint64_t region_pages = 16384;  // 64 MiB

std::uint64_t touch(std::uint64_t pages) {
  return micro::touch_regions(name, pages, region_pages, region_pages,
                              [](std::uint64_t i) { return i; });
}

}  // namespace

int main(int argc, char** argv) {
  const micro::Arguments arguments(name, argc, argv, region_pages);
  // The whole region: kernel and host have met every page before the clock starts
  return micro::report(name, micro::measure(name, arguments, region_pages, touch));
}
