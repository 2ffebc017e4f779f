// From a file's blocks to the image's: twelve direct ones in the inode, then trees of one, two and
// three levels of tables. Every number is checked as it is read; depth is what the place of a slot
// says, so damaged tables cannot make a walk longer.
#include "guest/fs/ext2/node.h"

namespace guest::ext2 {
namespace {

constexpr int max_depth = 3;

std::uint64_t power(std::uint64_t base, int exponent) {
  std::uint64_t result = 1;
  while (exponent-- > 0) result *= base;
  return result;
}

/// Where a block's number is: a slot of the inode, and the index at each level of tables below it.
struct Path {
  std::uint32_t slot;
  int depth;
  std::uint32_t index[max_depth];  // of tables, from the top
};

Path path_to(std::uint64_t block, std::uint32_t per_table) {
  Path path{};
  if (block < direct_blocks) {
    path.slot = static_cast<std::uint32_t>(block);
    return path;
  }
  block -= direct_blocks;
  path.depth = 1;
  while (path.depth < max_depth && block >= power(per_table, path.depth))
    block -= power(per_table, path.depth++);
  path.slot = direct_blocks + static_cast<std::uint32_t>(path.depth) - 1;
  for (int level = path.depth - 1; level >= 0; --level) {
    path.index[level] = static_cast<std::uint32_t>(block % per_table);
    block /= per_table;
  }
  return path;
}

}  // namespace

std::uint64_t Node::max_size() const {
  // The count of 512-byte sectors has 32 bits.
  const std::uint64_t bound = fs_.has_features() ? 1ull << 41 : most_without_large_file;
  std::uint64_t per = fs_.block_size() / 4;
  std::uint64_t blocks = direct_blocks + per + per * per + per * per * per;
  return blocks * fs_.block_size() < bound ? blocks * fs_.block_size() : bound;
}

void Node::count_blocks(std::int64_t blocks) {
  std::int64_t sectors = blocks * (fs_.block_size() / 512);
  std::int64_t now = raw_.blocks512 + sectors;
  raw_.blocks512 = now < 0 ? 0 : static_cast<std::uint32_t>(now);
}

Result<std::uint32_t> Node::allocate_table(std::uint32_t goal) {
  std::uint32_t number = TRY(fs_.allocate_blocks(goal, 1)).first;
  auto table = fs_.fresh_block(number);
  if (!table.ok()) {
    (void)fs_.free_block(number);
    return table.error();
  }
  count_blocks(1);
  return number;
}

// The table that holds the number of `block` (not a direct one), and the index in it, which stays
// as it was where there is none. ENOENT: a table is missing, or the one above it.
Result<Block> Node::leaf_table(std::uint32_t block, std::uint32_t& index, bool make) {
  Path path = path_to(block, fs_.block_size() / 4);
  std::uint32_t number = raw_.block[path.slot];
  if (number == 0) {
    if (!make) return Errno::noent;
    number = raw_.block[path.slot] = TRY(allocate_table(TRY(goal_for(block))));
  }
  for (int level = 0;; ++level) {
    Block table = TRY(fs_.block(number));
    if (level == path.depth - 1) {
      index = path.index[level];
      return table;
    }
    std::uint32_t& next = *table.at<std::uint32_t>(std::size_t{path.index[level]} * 4);
    if (next == 0) {
      if (!make) return Errno::noent;
      next = TRY(allocate_table(number + 1));
      table.changed();
    }
    number = next;
  }
}

// Behind the block before, or where the inode's group begins.
Result<std::uint32_t> Node::goal_for(std::uint32_t block) {
  if (block > 0) {
    BlockRun before = TRY(map(block - 1, 1));
    if (before.first) return before.first + 1;
  }
  return fs_.first_block_of(fs_.group_of_inode(number_)) + 1;
}

Result<BlockRun> Node::map(std::uint32_t block, std::uint32_t max) {
  const std::uint32_t* numbers = raw_.block + block;
  std::uint32_t left = block < direct_blocks ? direct_blocks - block : 0;
  Block table;
  if (left == 0) {
    std::uint32_t per_table = fs_.block_size() / 4, index = (block - direct_blocks) % per_table;
    auto found = leaf_table(block, index, false);
    left = per_table - index;
    if (!found.ok()) {
      if (found.error() != Errno::noent) return found.error();
      return BlockRun{0, left < max ? left : max};
    }
    table = found.release();
    numbers = table.at<std::uint32_t>(std::size_t{index} * 4);
  }
  if (left > max) left = max;
  BlockRun run{numbers[0], 1};
  while (run.count < left && numbers[run.count] == (run.first ? run.first + run.count : 0))
    ++run.count;
  if (run.first && (!fs_.valid_block(run.first) || !fs_.valid_block(run.first + run.count - 1)))
    return fs_.corrupt("block number in inode", number_);
  return run;
}

Result<BlockRun> Node::map_or_allocate(std::uint32_t block, std::uint32_t max) {
  BlockRun run = TRY(map(block, max));
  if (run.first) return run;
  std::uint32_t goal = TRY(goal_for(block));
  std::uint32_t* numbers = raw_.block + block;
  Block table;
  if (block >= direct_blocks) {
    std::uint32_t index = 0;
    bool first_of_table = (block - direct_blocks) % (fs_.block_size() / 4) == 0;
    table = TRY(leaf_table(block, index, true));
    numbers = table.at<std::uint32_t>(std::size_t{index} * 4);
    if (first_of_table) goal = table.number() + 1;
  }
  BlockRun fresh = TRY(fs_.allocate_blocks(goal, run.count));
  for (std::uint32_t i = 0; i < fresh.count; ++i) numbers[i] = fresh.first + i;
  if (block >= direct_blocks) table.changed();
  count_blocks(fresh.count);
  return fresh;
}

// `slot` stands for power(per_table, depth) blocks of the file, from `first` on: those of them in
// [begin, end) go. A table goes with the last of its blocks only if all were to.
Result<> Node::free_tree(std::uint32_t& slot, int depth, std::uint64_t first, std::uint64_t begin,
                         std::uint64_t end) {
  std::uint64_t per_table = fs_.block_size() / 4, span = power(per_table, depth);
  if (slot == 0 || first + span <= begin || first >= end) return {};
  bool whole = first >= begin && first + span <= end;
  std::uint32_t number = slot;
  Block table;
  if (depth > 0) table = TRY(fs_.block(number));
  if (whole) {
    // Before what is below it: a table that leads back to itself is then found free.
    TRY(fs_.free_block(number));
    slot = 0;
    count_blocks(-1);
  }
  if (depth == 0) return {};
  std::uint64_t step = span / per_table;
  for (std::uint32_t i = 0; i < per_table; ++i)
    TRY(free_tree(*table.at<std::uint32_t>(std::size_t{i} * 4), depth - 1, first + i * step, begin,
                  end));
  if (!whole) table.changed();
  return {};
}

Result<> Node::free_blocks(std::uint64_t begin, std::uint64_t end) {
  std::uint64_t first = 0;
  for (std::uint32_t i = 0; i < block_slots; ++i) {
    int depth = i < direct_blocks ? 0 : static_cast<int>(i - direct_blocks) + 1;
    TRY(free_tree(raw_.block[i], depth, first, begin, end));
    first += power(fs_.block_size() / 4, depth);
  }
  return {};
}

}  // namespace guest::ext2
