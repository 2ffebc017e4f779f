// pread-4k: one page of a file that is in the page cache: a system call that copies. The file has
// 256 pages and lies in /tmp. The check value counts pages that came whole and were the right ones.
#include "marker.h"

namespace {

constexpr const char* name = "pread-4k";
constexpr std::size_t page = 4096;
constexpr std::uint64_t file_pages = 256;

int make_file() {
  const int fd = open("/tmp/micro-pread-4k", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) micro::fail(name, "cannot make a file in /tmp");
  unlink("/tmp/micro-pread-4k");
  std::uint64_t words[page / sizeof(std::uint64_t)];
  for (std::uint64_t i = 0; i < file_pages; ++i) {
    for (auto& word : words) word = i;
    if (write(fd, words, page) != static_cast<ssize_t>(page)) micro::fail(name, "cannot fill it");
  }
  return fd;
}

std::uint64_t read_pages(int fd, std::uint64_t count) {
  std::uint64_t words[page / sizeof(std::uint64_t)];
  std::uint64_t right = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t which = i % file_pages;
    const ssize_t got = pread(fd, words, page, static_cast<off_t>(which * page));
    right += got == static_cast<ssize_t>(page) && words[0] == which && words[511] == which;
  }
  return right;
}

}  // namespace

int main(int argc, char** argv) {
  const micro::Arguments arguments(name, argc, argv, 10'000);
  const int fd = make_file();
  return micro::report(name, micro::measure(name, arguments, file_pages, [&](std::uint64_t count) {
                         return read_pages(fd, count);
                       }));
}
