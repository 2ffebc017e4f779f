// Mutations of ext2 images that know where its structures lie, so that they go deep: a field of the
// superblock, a group descriptor, an inode, an entry of a directory or of an indirect block becomes
// something that may hurt; or the image is cut short. Reads the layout from the sound image itself.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "guest/fs/ext2/layout.h"
#include "tests/fuzz/fuzz.h"

namespace fuzz {

class Ext2Mutation {
 public:
  Ext2Mutation(std::vector<std::uint8_t>& image, Random& random) : image_(image), random_(random) {
    block_bytes_ = 1024u << word(1024 + 24);
    blocks_ = word(1024 + 4);
    inodes_per_group_ = word(1024 + 40);
    inode_bytes_ = half(1024 + 88);
    inodes_ = word(1024);
    descriptors_ = std::uint64_t{block_bytes_} * (word(1024 + 20) + 1);
  }

  /// One to a dozen changes, and once in a while a cut. Says what it did.
  std::string apply() {
    for (std::uint64_t i = 1 + below(below(4) ? 3 : 12); i > 0; --i) one_change();
    if (below(20) == 0) {
      image_.resize(below(image_.size()));
      said_ += " cut to " + std::to_string(image_.size());
    }
    return said_;
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  template <class T>
  T get(std::uint64_t at) const {
    T value{};
    if (at + sizeof value <= image_.size()) std::memcpy(&value, &image_[at], sizeof value);
    return value;
  }
  std::uint32_t word(std::uint64_t at) const { return get<std::uint32_t>(at); }
  std::uint16_t half(std::uint64_t at) const { return get<std::uint16_t>(at); }

  std::uint64_t inode_at(std::uint64_t number) const {
    const std::uint64_t group = (number - 1) / inodes_per_group_;
    const std::uint64_t table = word(descriptors_ + group * 32 + 8);
    return table * block_bytes_ + (number - 1) % inodes_per_group_ * inode_bytes_;
  }
  /// Of an inode in use, mostly: the first few are.
  std::uint64_t some_inode() {
    return inode_at(1 + below(below(4) ? std::min(inodes_, 40u) : inodes_));
  }
  /// The inode's i-th block number; 12, 13 and 14 are indirect ones.
  std::uint64_t block_of(std::uint64_t inode, std::uint64_t i) const {
    return std::uint64_t{word(inode + 40 + 4 * i)} * block_bytes_;
  }

  /// A place in one of the structures.
  std::uint64_t place() {
    switch (below(8)) {
      case 0:
        return 1024 + below(264);
      case 1:
        return descriptors_ + below(32 * ((inodes_ + inodes_per_group_ - 1) / inodes_per_group_));
      case 2:
      case 3:
        return some_inode() + below(128);
      case 4:  // what inodes with contents point to: directories, most often
        return block_of(some_inode(), 0) + below(block_bytes_);
      case 5:
        return block_of(some_inode(), 0) + below(64);
      case 6:
        return block_of(some_inode(), 12 + below(3)) + below(block_bytes_ / 4) * 4;
      default:
        return 1024 + below(std::min<std::uint64_t>(image_.size() - 1024, 256 * 1024));
    }
  }

  std::uint32_t value() {
    const std::uint32_t notable[] = {0,       1,           2,          11,         0x7fff,
                                     0x8000,  0xffff,      0x7fffffff, 0x80000000, 0xffffffff,
                                     blocks_, blocks_ - 1, inodes_,    inodes_ + 1};
    switch (below(4)) {
      case 0:
        return static_cast<std::uint32_t>(random_());
      case 1:
        return static_cast<std::uint32_t>(below(blocks_));  // a block or an inode that there is
      default:
        return notable[below(std::size(notable))];
    }
  }

  void one_change() {
    std::uint64_t at = place();
    const std::uint64_t bytes = 1u << below(3);
    if (below(4)) at -= at % bytes;
    // The magic number: refused at once.
    if (at + bytes > image_.size() || (at <= 1081 && at + bytes > 1080)) return;
    const std::uint32_t changed = below(8) ? value() : word(at) ^ (1u << below(8 * bytes));
    std::memcpy(&image_[at], &changed, bytes);
    said_ += " " + std::to_string(at) + ":" + std::to_string(bytes) + "=" + std::to_string(changed);
  }

  std::vector<std::uint8_t>& image_;
  Random& random_;
  std::uint64_t block_bytes_, descriptors_;
  std::uint32_t blocks_, inodes_, inodes_per_group_, inode_bytes_;
  std::string said_;
};

}  // namespace fuzz
