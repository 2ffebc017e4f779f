// touch-file: first touch of the pages of a mapped file that is in the page cache. A file of 16 MiB
// in /tmp is mapped, read page by page, unmapped, until COUNT pages are read. The check value
// counts pages that held what the file holds.
#include <sys/mman.h>

#include "marker.h"

namespace {

constexpr const char* name = "touch-file";
constexpr std::uint64_t page = 4096, file_pages = 4096;

int make_file() {
  const int fd = open("/tmp/micro-touch-file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) micro::fail(name, "cannot make a file in /tmp");
  unlink("/tmp/micro-touch-file");
  std::uint64_t words[page / sizeof(std::uint64_t)];
  for (std::uint64_t i = 0; i < file_pages; ++i) {
    for (auto& word : words) word = i;
    if (write(fd, words, page) != static_cast<ssize_t>(page)) micro::fail(name, "cannot fill it");
  }
  return fd;
}

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
  const int fd = make_file();
  return micro::report(name, micro::measure(name, arguments, file_pages,
                                            [&](std::uint64_t count) { return touch(fd, count); }));
}
