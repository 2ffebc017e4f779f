// BlockCache: see the header. The table is small, so it is searched from end to end.
#include "guest/fs/ext2/block_cache.h"

#include "guest/heap/heap.h"

namespace guest::ext2 {

BlockCache::~BlockCache() {
  for (Buffer& buffer : table_) heap_free(buffer.data);
}

Buffer* BlockCache::find(std::uint32_t block) {
  for (Buffer& buffer : table_)
    if (buffer.valid && buffer.block == block) {
      buffer.used = ++clock_;
      return &buffer;
    }
  return nullptr;
}

Result<> BlockCache::write(Buffer& buffer) {
  TRY(device_.write(std::uint64_t{buffer.block} * block_size_, buffer.data, block_size_));
  buffer.dirty = buffer.fresh = false;
  return {};
}

// The buffer used longest ago, if possible one that is not changed, or an empty one.
Result<Buffer*> BlockCache::take(std::uint32_t block) {
  Buffer* oldest = nullptr;
  auto rank = [](const Buffer& buffer) {
    constexpr std::uint64_t last = 1ul << 63;
    return buffer.valid ? buffer.used + (buffer.dirty ? last : 0) : 0;
  };
  for (Buffer& buffer : table_)
    if (buffer.pins == 0 && (!oldest || rank(buffer) < rank(*oldest))) oldest = &buffer;
  if (!oldest) return Errno::nomem;
  if (oldest->valid && oldest->dirty) TRY(write_back());
  if (!oldest->data) oldest->data = static_cast<std::uint8_t*>(heap_allocate(block_size_));
  if (!oldest->data) return Errno::nomem;
  oldest->valid = oldest->dirty = oldest->fresh = oldest->inodes = false;
  oldest->block = block;
  oldest->used = ++clock_;
  return oldest;
}

Result<Block> BlockCache::get(std::uint32_t block) {
  if (Buffer* known = find(block)) return Block(*known);
  Buffer* buffer = TRY(take(block));
  TRY(device_.read(std::uint64_t{block} * block_size_, buffer->data, block_size_));
  buffer->valid = true;
  return Block(*buffer);
}

Result<Block> BlockCache::get_zeroed(std::uint32_t block) {
  Buffer* buffer = find(block);
  if (!buffer) buffer = TRY(take(block));
  __builtin_memset(buffer->data, 0, block_size_);
  buffer->valid = buffer->dirty = buffer->fresh = true;
  buffer->inodes = false;
  return Block(*buffer);
}

void BlockCache::forget(std::uint32_t block) {
  for (Buffer& buffer : table_)
    if (buffer.valid && buffer.block == block && buffer.pins == 0) {
      buffer.valid = buffer.dirty = false;
      buffer.used = 0;
    } else if (buffer.valid && buffer.block == block) {
      buffer.dirty = false;
    }
}

Result<> BlockCache::write_inodes_early(Buffer& buffer) {
  if (!order_.hide_fresh(buffer.block, buffer.data)) return write(buffer);
  auto written = write(buffer);
  order_.show_fresh(buffer.block, buffer.data);
  buffer.dirty = true;  // it is for the last pass
  return written;
}

Result<> BlockCache::write_back() {
  for (Buffer& buffer : table_)
    if (buffer.valid && buffer.dirty && buffer.fresh) TRY(write(buffer));
  for (Buffer& buffer : table_)
    if (buffer.valid && buffer.dirty && buffer.inodes) TRY(write_inodes_early(buffer));
  for (Buffer& buffer : table_)
    if (buffer.valid && buffer.dirty && !buffer.inodes) TRY(write(buffer));
  for (Buffer& buffer : table_)
    if (buffer.valid && buffer.dirty) TRY(write(buffer));
  order_.all_written();
  return {};
}

bool BlockCache::crowded() const {
  std::uint32_t changed = 0;
  for (const Buffer& buffer : table_) changed += buffer.valid && buffer.dirty ? 1 : 0;
  return changed > buffers / 2;
}

}  // namespace guest::ext2
