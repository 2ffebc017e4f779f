// Is this file a disk image that a guest can have as its root? Asked before anything boots.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace image {

struct Superblock {
  std::string uuid;  // 8-4-4-4-12 hexadecimal digits
  std::string label;
  bool written;  // mounted or changed since it was made by write_ext2()
};

/// What `file` says of itself. Throws HostError with one line that names cause and remedy when it
/// is missing, unreadable, truncated or no ext2 image.
Superblock read_superblock(const std::string& file);

/// The same, for a file of which nothing is expected: nothing when it is no whole ext2 image.
std::optional<Superblock> find_superblock(const std::string& file);

/// What its files take.
std::uint64_t used_bytes(const std::string& image);

/// Does the path lead anywhere in the image, links followed?
bool has_file(const std::string& image, const std::string& path);

}  // namespace image
