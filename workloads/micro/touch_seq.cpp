// touch-seq: first touch of anonymous memory, page after page: what a guest page fault costs,
// with all that the guest kernel does to make it rarer. Maps 64 MiB, writes one word to each page,
// unmaps, until COUNT pages are touched. The check value counts pages that came zeroed.
#include <sys/mman.h>

#include "marker.h"

namespace {

constexpr const char* name = "touch-seq";
constexpr std::uint64_t page = 4096, region_pages = 16384;

std::uint64_t touch(std::uint64_t pages) {
  std::uint64_t zeroed = 0;
  while (pages > 0) {
    const std::uint64_t now = pages < region_pages ? pages : region_pages;
    void* region = mmap(nullptr, region_pages * page, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (region == MAP_FAILED) micro::fail(name, "cannot map 64 MiB; give the guest more memory");
    // The host must not answer with 2 MiB pages where it would: the unit is one page.
    madvise(region, region_pages * page, MADV_NOHUGEPAGE);
    auto* bytes = static_cast<volatile std::uint64_t*>(region);
    for (std::uint64_t i = 0; i < now; ++i) {
      volatile std::uint64_t& word = bytes[i * page / sizeof(std::uint64_t)];
      // Write first: a read would map the host's shared zero page and fault twice.
      word = i + 1;
      zeroed += (&word)[1] == 0 && word == i + 1;
    }
    munmap(region, region_pages * page);
    pages -= now;
  }
  return zeroed;
}

}  // namespace

int main(int argc, char** argv) {
  const micro::Arguments arguments(name, argc, argv, region_pages);
  micro::Marker marker(name);
  touch(region_pages);  // whole region: kernel and host have met every page before the clock starts
  std::uint64_t zeroed = 0;
  for (std::uint64_t pair = 0; pair < arguments.pairs; ++pair) {
    marker.start(arguments.count);
    zeroed += touch(arguments.count);
    marker.stop();
  }
  return micro::report(name, zeroed);
}
