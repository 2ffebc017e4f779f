// A file in /tmp for the programs that work on what is in the page cache.
#pragma once

#include "marker.h"

namespace micro {

inline constexpr std::size_t file_page = 4096;

/// Without a name by now: each word of a page says which page it is. The descriptor.
inline int make_cached_file(const char* name, const char* path, std::uint64_t pages) {
  const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) fail(name, "cannot make a file in /tmp");
  unlink(path);
  std::uint64_t words[file_page / sizeof(std::uint64_t)];
  for (std::uint64_t i = 0; i < pages; ++i) {
    for (auto& word : words) word = i;
    if (write(fd, words, file_page) != static_cast<ssize_t>(file_page))
      fail(name, "cannot fill it");
  }
  return fd;
}

}  // namespace micro
