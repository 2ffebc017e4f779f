// Which blocks and inodes are free: one bit each in their group's bitmaps, and counts in group
// descriptor and superblock. New blocks follow the file's last one where they can.
#include "guest/fs/ext2/file_system.h"

namespace guest::ext2 {
namespace {

bool bit(const std::uint8_t* map, std::uint32_t i) {
  return map[i / 8] >> (i % 8) & 1;
}
void set_bit(std::uint8_t* map, std::uint32_t i) {
  map[i / 8] |= static_cast<std::uint8_t>(1u << (i % 8));
}
void clear_bit(std::uint8_t* map, std::uint32_t i) {
  map[i / 8] &= static_cast<std::uint8_t>(~(1u << (i % 8)));
}

// The first clear bit in [from, to), of eight clear ones if there are such; `to` when all are set.
std::uint32_t find_clear(const std::uint8_t* map, std::uint32_t from, std::uint32_t to) {
  if (from < to && !bit(map, from)) return from;
  for (std::uint32_t byte = from / 8 + 1; byte < to / 8; ++byte)
    if (map[byte] == 0) return byte * 8;
  for (std::uint32_t i = from; i < to; ++i)
    if (!bit(map, i)) return i;
  return to;
}

}  // namespace

std::uint32_t FileSystem::blocks_in(std::uint32_t group) const {
  std::uint32_t left = super_.blocks_count - first_block_of(group);
  return left < super_.blocks_per_group ? left : super_.blocks_per_group;
}

bool FileSystem::is_system_block(const GroupDescriptor& g, std::uint32_t block) const {
  return block == g.block_bitmap || block == g.inode_bitmap ||
         (block >= g.inode_table && block - g.inode_table < table_blocks_);
}

// {0, 0}: nothing free from there on.
Result<BlockRun> FileSystem::allocate_in_group(std::uint32_t number, std::uint32_t from,
                                               std::uint32_t wanted) {
  Block holder;
  GroupDescriptor& g = *TRY(group(number, holder));
  if (g.free_blocks == 0) return BlockRun{0, 0};
  Block bitmap = TRY(block(g.block_bitmap));
  std::uint32_t end = blocks_in(number);
  std::uint32_t first = first_block_of(number), at = find_clear(bitmap.data(), from, end);
  for (std::uint32_t past; at < end && (past = past_freed(first + at));)
    at = find_clear(bitmap.data(), past - first, end);
  BlockRun run{first + at, 0};
  for (; run.count < wanted && at < end && !bit(bitmap.data(), at); ++at, ++run.count) {
    std::uint32_t taken = first + at;
    if (past_freed(taken)) break;
    if (!valid_block(taken) || is_system_block(g, taken))
      return corrupt("the file system's own block is called free,", taken);
    if (g.free_blocks == 0 || super_.free_blocks == 0)
      return corrupt("wrong count of free blocks in group", number);
    set_bit(bitmap.data(), at);
    --g.free_blocks;
    --super_.free_blocks;
  }
  if (run.count == 0) return BlockRun{0, 0};
  bitmap.changed();
  holder.changed();
  return run;
}

Result<BlockRun> FileSystem::allocate_blocks(std::uint32_t goal, std::uint32_t wanted) {
  TRY(check_writable());
  if (freed_unnoted_) TRY(write_metadata());
  auto found = find_blocks(goal, wanted);
  if (found.ok() || found.error() != Errno::nospc || freed_blocks_.empty()) return found;
  TRY(write_metadata());  // for what was freed lately
  return find_blocks(goal, wanted);
}

Result<BlockRun> FileSystem::find_blocks(std::uint32_t goal, std::uint32_t wanted) {
  if (super_.free_blocks == 0) return Errno::nospc;
  if (!valid_block(goal)) goal = super_.first_data_block + 1;
  std::uint32_t home = (goal - super_.first_data_block) / super_.blocks_per_group;
  BlockRun run = TRY(allocate_in_group(home, goal - first_block_of(home), wanted));
  // The home group again at last: what lies before the goal.
  for (std::uint32_t i = 1; run.count == 0 && i <= groups_; ++i)
    run = TRY(allocate_in_group((home + i) % groups_, 0, wanted));
  if (run.count == 0) return Errno::nospc;
  return run;
}

Result<> FileSystem::free_block(std::uint32_t number) {
  TRY(check_writable());
  note_freed_block(number);
  if (!valid_block(number)) return corrupt("block number", number);
  std::uint32_t index = (number - super_.first_data_block) / super_.blocks_per_group;
  Block holder;
  GroupDescriptor& g = *TRY(group(index, holder));
  if (is_system_block(g, number)) return corrupt("a file has the file system's own block", number);
  Block bitmap = TRY(block(g.block_bitmap));
  std::uint32_t at = number - first_block_of(index);
  if (!bit(bitmap.data(), at)) return corrupt("a file has the free block", number);
  clear_bit(bitmap.data(), at);
  bitmap.changed();
  ++g.free_blocks;
  holder.changed();
  ++super_.free_blocks;
  cache_->forget(number);
  return {};
}

Result<std::uint32_t> FileSystem::allocate_inode(std::uint32_t near, bool directory) {
  TRY(check_writable());
  const bool all_freed_lately =
      super_.free_inodes <= freed_inodes_.size() && !freed_inodes_.empty();
  if (all_freed_lately || freed_unnoted_) TRY(write_metadata());
  if (super_.free_inodes == 0) return Errno::nospc;
  std::uint32_t home = group_of_inode(near);
  for (std::uint32_t i = 0; i < groups_; ++i) {
    std::uint32_t index = (home + i) % groups_;
    Block holder;
    GroupDescriptor& g = *TRY(group(index, holder));
    if (g.free_inodes == 0) continue;
    Block bitmap = TRY(block(g.inode_bitmap));
    std::uint32_t from = index == 0 ? first_inode_ - 1 : 0, at = from;
    std::uint32_t first = index * super_.inodes_per_group + 1;
    while (at < super_.inodes_per_group && (bit(bitmap.data(), at) || freed_lately(first + at)))
      ++at;
    if (at >= super_.inodes_per_group) continue;
    set_bit(bitmap.data(), at);
    bitmap.changed();
    --g.free_inodes;
    if (directory) ++g.directories;
    holder.changed();
    --super_.free_inodes;
    return first + at;
  }
  return Errno::nospc;
}

Result<> FileSystem::free_inode(std::uint32_t number, bool directory) {
  TRY(check_writable());
  note_freed_inode(number);
  std::uint32_t index = group_of_inode(number), at = (number - 1) % super_.inodes_per_group;
  Block holder;
  GroupDescriptor& g = *TRY(group(index, holder));
  Block bitmap = TRY(block(g.inode_bitmap));
  if (!bit(bitmap.data(), at)) return corrupt("inode is free already,", number);
  clear_bit(bitmap.data(), at);
  bitmap.changed();
  ++g.free_inodes;
  if (directory && g.directories) --g.directories;
  holder.changed();
  ++super_.free_inodes;
  return {};
}

}  // namespace guest::ext2
