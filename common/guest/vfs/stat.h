// File attributes and directory entries inside the kernel. The guest ABI's own layouts (struct
// stat, linux_dirent64) are made from these in abi/.
#pragma once

#include <cstdint>
#include <string_view>

namespace guest {

inline constexpr std::uint32_t mode_type = 0170000, mode_socket = 0140000, mode_symlink = 0120000,
                               mode_regular = 0100000, mode_block = 0060000,
                               mode_directory = 0040000, mode_character = 0020000,
                               mode_fifo = 0010000;

struct Stat {
  std::uint64_t device, inode;
  std::uint32_t mode, links, uid, gid;
  std::uint64_t rdev, size, blocks512;
  std::uint32_t block_size;
  std::uint64_t atime_ns, mtime_ns, ctime_ns;
};

/// Linux's relatime: is an access at `now` to be noted? Once after each change, and once a day.
constexpr bool access_is_due(std::uint64_t atime_ns, std::uint64_t mtime_ns, std::uint64_t ctime_ns,
                             std::uint64_t now_ns) {
  constexpr std::uint64_t day_ns = 24ull * 60 * 60 * 1'000'000'000;
  return atime_ns <= mtime_ns || atime_ns <= ctime_ns ||
         (now_ns > atime_ns && now_ns - atime_ns >= day_ns);
}

/// A file system's room, for statfs.
struct FileSystemSpace {
  std::uint64_t type;  // the magic number that Linux gives
  std::uint32_t block_size;
  std::uint64_t blocks, blocks_free, blocks_available, inodes, inodes_free;
};

struct DirectoryEntry {
  std::string_view name;  // valid until the directory changes
  std::uint64_t inode;
  std::uint32_t mode;
};

}  // namespace guest
