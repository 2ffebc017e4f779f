// BlockCache: the file system's own blocks (bitmaps, group descriptors, inode tables, indirect
// blocks, directories), a few of them, in the kernel heap. File contents are not here: they are in
// page frames (contents.cpp). Changed blocks are written by write_back(), all of them, in an order
// such that e2fsck -p can repair what it leaves when the machine is killed on the way:
//   1. blocks that are new: nothing on the disk leads to them yet;
//   2. inodes, new ones as if they were still unused: whatever lost its last name is dead now;
//   3. directories, tables, bitmaps: names of inodes that are still unused are easily cleared;
//   4. inodes that are new: all have names.
#pragma once

#include <cstdint>
#include <utility>

#include "guest/vfs/block_device.h"

namespace guest::ext2 {

struct Buffer {
  std::uint8_t* data = nullptr;
  std::uint32_t block = 0;
  std::uint32_t pins = 0;
  std::uint64_t used = 0;  // when, by the cache's own clock
  bool valid = false, dirty = false;
  bool fresh = false;   // never written since it became what it is
  bool inodes = false;  // of an inode table
};

/// Who knows which inodes are new.
class WriteOrder {
 public:
  /// Makes the new inodes in a block of an inode table look unused. False: there are none.
  virtual bool hide_fresh(std::uint32_t block, std::uint8_t* data) = 0;
  virtual void show_fresh(std::uint32_t block, std::uint8_t* data) = 0;
  virtual void all_written() = 0;

 protected:
  ~WriteOrder() = default;
};

/// A block that stays in memory while this lives.
class Block {
 public:
  Block() = default;
  explicit Block(Buffer& buffer) : buffer_(&buffer) { ++buffer.pins; }
  Block(Block&& other) noexcept : buffer_(std::exchange(other.buffer_, nullptr)) {}
  Block& operator=(Block&& other) noexcept {
    std::swap(buffer_, other.buffer_);
    return *this;
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() {
    if (buffer_) --buffer_->pins;
  }
  [[nodiscard]] std::uint8_t* data() const { return buffer_->data; }
  template <class T>
  [[nodiscard]] T* at(std::size_t offset) const {
    return reinterpret_cast<T*>(buffer_->data + offset);
  }
  [[nodiscard]] std::uint32_t number() const { return buffer_->block; }
  void changed() const { buffer_->dirty = true; }
  void holds_inodes() const { buffer_->inodes = true; }

 private:
  Buffer* buffer_ = nullptr;
};

class BlockCache {
 public:
  static constexpr std::uint32_t buffers = 64;

  BlockCache(BlockDevice& device, std::uint32_t block_size, WriteOrder& order)
      : device_(device), block_size_(block_size), order_(order) {}
  ~BlockCache();
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;

  Result<Block> get(std::uint32_t block);
  /// A block that becomes something new: zeros, changed, never read.
  Result<Block> get_zeroed(std::uint32_t block);
  /// The block is free now: what was to be written there no longer is.
  void forget(std::uint32_t block);
  Result<> write_back();
  /// Changed blocks are so many that an operation could force some out half-way.
  [[nodiscard]] bool crowded() const;

 private:
  Buffer* find(std::uint32_t block);
  Result<Buffer*> take(std::uint32_t block);
  Result<> write(Buffer& buffer);
  Result<> write_inodes_early(Buffer& buffer);

  BlockDevice& device_;
  std::uint32_t block_size_;
  WriteOrder& order_;
  std::uint64_t clock_ = 0;
  Buffer table_[buffers];
};

}  // namespace guest::ext2
