// What makes a killed machine's image one that e2fsck -p repairs, beside the order in which blocks
// are written (block_cache.h): blocks and inodes that were freed since the last write-back are not
// used again before the next, new inodes can be hidden, and no operation is torn by a write-back.
#include "guest/fs/ext2/file_system.h"

namespace guest::ext2 {
namespace {

constexpr std::size_t many_freed = 128;  // lists are searched from end to end

}  // namespace

Result<> FileSystem::begin_change() {
  bool crowded = cache_->crowded() || freed_unnoted_ ||
                 freed_blocks_.size() + freed_inodes_.size() > many_freed;
  return crowded ? write_metadata() : Result<>();
}

void FileSystem::note_freed_block(std::uint32_t block) {
  if (!freed_blocks_.empty()) {
    BlockRun& last = freed_blocks_.back();
    if (block == last.first + last.count) {
      ++last.count;
      return;
    }
  }
  if (!freed_blocks_.push({block, 1}).ok()) freed_unnoted_ = true;
}

void FileSystem::note_freed_inode(std::uint32_t inode) {
  if (!freed_inodes_.push(inode).ok()) freed_unnoted_ = true;
}

// The first block behind the freed ones that this one is among; 0: it is not.
std::uint32_t FileSystem::past_freed(std::uint32_t block) const {
  for (const BlockRun& run : freed_blocks_)
    if (block >= run.first && block - run.first < run.count) return run.first + run.count;
  return 0;
}

bool FileSystem::freed_lately(std::uint32_t inode) const {
  for (std::uint32_t freed : freed_inodes_)
    if (freed == inode) return true;
  return false;
}

Result<> FileSystem::note_fresh(const Block& block, std::uint32_t offset) {
  return fresh_.push({block.number(), offset});
}

bool FileSystem::hide_fresh(std::uint32_t block, std::uint8_t* data) {
  bool any = false;
  for (Fresh& fresh : fresh_) {
    if (fresh.block != block) continue;
    auto& inode = *reinterpret_cast<DiskInode*>(data + fresh.offset);
    fresh.links = inode.links;
    fresh.deletion_time = inode.deletion_time;
    inode.links = 0;
    inode.deletion_time = inode.change_time;
    any = true;
  }
  return any;
}

void FileSystem::show_fresh(std::uint32_t block, std::uint8_t* data) {
  for (Fresh& fresh : fresh_) {
    if (fresh.block != block) continue;
    auto& inode = *reinterpret_cast<DiskInode*>(data + fresh.offset);
    inode.links = fresh.links;
    inode.deletion_time = fresh.deletion_time;
  }
}

void FileSystem::all_written() {
  fresh_.clear();
  freed_blocks_.clear();
  freed_inodes_.clear();
  freed_unnoted_ = false;
}

}  // namespace guest::ext2
