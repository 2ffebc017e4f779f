// BlockCache: see the header. The table is small, so it is searched from end to end.
#include "guest/fs/ext2/block_cache.h"

#include "guest/mm/heap.h"

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
  buffer.dirty = false;
  return {};
}

// The buffer used longest ago, or a fresh one.
Result<Buffer*> BlockCache::take(std::uint32_t block) {
  Buffer* oldest = nullptr;
  for (Buffer& buffer : table_)
    if (buffer.pins == 0 && (!oldest || (buffer.valid ? buffer.used : 0) < oldest->used))
      oldest = &buffer;
  if (!oldest) return Errno::nomem;
  // All or none: if the machine is killed, the image holds what was true at one moment.
  if (oldest->valid && oldest->dirty) TRY(write_back());
  if (!oldest->data) oldest->data = static_cast<std::uint8_t*>(heap_allocate(block_size_));
  if (!oldest->data) return Errno::nomem;
  oldest->valid = oldest->dirty = false;
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
  buffer->valid = buffer->dirty = true;
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

Result<> BlockCache::write_back() {
  Result<> result;
  for (Buffer& buffer : table_) {
    if (!buffer.valid || !buffer.dirty) continue;
    auto written = write(buffer);
    if (!written.ok()) return written;
  }
  return {};
}

}  // namespace guest::ext2
