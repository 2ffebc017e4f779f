// touch-file: first touch of the pages of a mapped file that is in the page cache. A file of 16 MiB
// in /tmp is mapped, read page by page, unmapped, until COUNT pages are read. The check value
// counts pages that held what the file holds.
#include <sys/mman.h>

#include "cached_file.h"

namespace {

constexpr const char* name = "touch-file";
constexpr std::uint64_t page = micro::file_page, file_pages = 4096;

std::uint64_t touch(int fd, std::uint64_t pages) {
  std::uint64_t right = 0;
  while (pages > 0) {
    const std::uint64_t now = pages < file_pages ? pages : file_pages;
    void* at = mmap(nullptr, file_pages * page, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED) micro::fail(name, "cannot map the file");
    const auto* words = static_cast<const volatile std::uint64_t*>(at);
    for (std::uint64_t i = 0; i < now; ++i) right += words[i * page / sizeof(std::uint64_t)] == i;
    munmap(at, file_pages * page);
    pages -= now;
  }
  return right;
}

}  // namespace

int main(int argc, char** argv) {
  const micro::Arguments arguments(name, argc, argv, file_pages);
  const int fd = micro::make_cached_file(name, "/tmp/micro-touch-file", file_pages);
  return micro::report(name, micro::measure(name, arguments, file_pages,
                                            [&](std::uint64_t count) { return touch(fd, count); }));
}
