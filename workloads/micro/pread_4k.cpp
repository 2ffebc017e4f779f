// pread-4k: one page of a file that is in the page cache: a system call that copies. The file has
// 256 pages and lies in /tmp. The check value counts pages that came whole and were the right ones.
#include "cached_file.h"

namespace {

constexpr const char* name = "pread-4k";
constexpr std::size_t page = micro::file_page;
constexpr std::uint64_t file_pages = 256;

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
  const int fd = micro::make_cached_file(name, "/tmp/micro-pread-4k", file_pages);
  return micro::report(name, micro::measure(name, arguments, file_pages, [&](std::uint64_t count) {
                         return read_pages(fd, count);
                       }));
}
