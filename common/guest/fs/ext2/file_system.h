// FileSystem: a mounted ext2 image: its superblock and groups, which blocks and inodes are free,
// and the inodes in memory. Every number that comes from the image is checked before it is used;
// one that makes no sense makes the file system read-only, says so once, and gives EIO.
#pragma once

#include "guest/base/list.h"
#include "guest/fs/ext2/block_cache.h"
#include "guest/fs/ext2/layout.h"
#include "guest/heap/vec.h"
#include "guest/vfs/inode.h"

namespace guest::ext2 {

class Node;

struct BlockRun {
  std::uint32_t first;  // 0: a hole
  std::uint32_t count;
};

class FileSystem final : private WriteOrder {
 public:
  /// Looks at the image and says on the console why it cannot be mounted, or only read-only.
  static Result<FileSystem*> mount(BlockDevice& device);
  ~FileSystem();
  FileSystem(const FileSystem&) = delete;
  FileSystem& operator=(const FileSystem&) = delete;

  Result<Ref<Node>> node(std::uint32_t number);
  Result<Ref<Node>> root();
  /// The inode as what it is if it is in this file system, else nullptr.
  Node* own(Inode& inode) const;
  /// Room for one that is not in memory yet, made by letting go of others if need be. ENOMEM.
  Result<Ref<Node>> new_node(std::uint32_t number);
  /// Writes everything back and flushes the disk. EIO: something was lost since the last call.
  Result<> sync();
  /// The same without contents of files.
  Result<> sync_metadata();
  /// Metadata as it is now is in the image, though not yet on stable storage.
  Result<> write_metadata();
  /// Before each operation: it will not be torn by a write-back half-way.
  Result<> begin_change();
  /// The last sync: the image says afterwards that it was unmounted. Nothing may be written later.
  Result<> unmount();

  // -- Free space (allocation.cpp).
  /// 1..wanted contiguous blocks, from `goal` on if those are free. ENOSPC.
  Result<BlockRun> allocate_blocks(std::uint32_t goal, std::uint32_t wanted);
  Result<> free_block(std::uint32_t block);
  Result<std::uint32_t> allocate_inode(std::uint32_t near, bool directory);
  Result<> free_inode(std::uint32_t number, bool directory);
  /// An inode that was made since the last write-back: where it is in its table.
  Result<> note_fresh(const Block& block, std::uint32_t offset);

  // -- Blocks.
  Result<Block> block(std::uint32_t number);
  Result<Block> fresh_block(std::uint32_t number) { return cache_->get_zeroed(number); }
  [[nodiscard]] bool valid_block(std::uint32_t number) const {
    return number > super_.first_data_block && number < super_.blocks_count;
  }
  /// The block that holds an inode, and where in it.
  Result<Block> inode_block(std::uint32_t number, std::uint32_t& offset);

  /// The image contradicts itself: EIO from now on for all who would write.
  Errno corrupt(const char* what, std::uint64_t number);
  /// Something is not in the image and never will be: the next sync() fails, and unmount().
  void note_lost() { lost_ = lost_untold_ = true; }
  Result<> check_writable() const { return read_only_ ? Result<>(Errno::rofs) : Result<>(); }
  [[nodiscard]] bool read_only() const { return read_only_; }

  /// Makes room in page frames when files hold too many of them.
  void limit_cache();
  /// Lets go of `wanted` cached pages if there are so many that nobody has mapped.
  void drop_pages(std::uint32_t wanted);
  /// So many pages more wait to be written: too many of them are written now.
  void limit_dirty(std::uint32_t pages);

  FileSystemSpace space() const;
  [[nodiscard]] std::uint32_t block_size() const { return block_size_; }
  [[nodiscard]] std::uint32_t block_count() const { return super_.blocks_count; }
  [[nodiscard]] std::uint32_t inode_count() const { return super_.inodes_count; }
  [[nodiscard]] bool has_features() const { return super_.revision != 0; }
  void note_large_file() { super_.read_only_compatible |= read_only_large_file; }
  [[nodiscard]] std::uint32_t inode_size() const { return inode_size_; }
  [[nodiscard]] std::uint32_t group_of_inode(std::uint32_t number) const {
    return (number - 1) / super_.inodes_per_group;
  }
  [[nodiscard]] std::uint32_t first_block_of(std::uint32_t group) const {
    return super_.first_data_block + group * super_.blocks_per_group;
  }
  /// What a directory entry says of a file with this mode, and back; 0: nothing.
  [[nodiscard]] std::uint8_t entry_type(std::uint32_t mode) const {
    return super_.incompatible & incompatible_file_type ? entry_type_of(mode) : 0;
  }
  [[nodiscard]] std::uint32_t entry_mode(std::uint8_t type) const {
    return super_.incompatible & incompatible_file_type ? mode_of_entry_type(type) : 0;
  }
  BlockDevice& device() { return device_; }

  // -- For Node only: the list of inodes in memory.
  void enter(Node& node);
  void leave(Node& node);
  void let_go(Node& node);  // removed: in memory only as long as somebody holds it

  char listed_name[256];  // DirectoryEntry::name of the last entry()

 private:
  explicit FileSystem(BlockDevice& device) : device_(device) {}
  Result<> read_superblock();
  Result<> check_groups();
  Result<> mark_mounted();
  Result<> store_superblock(bool clean);
  Result<GroupDescriptor*> group(std::uint32_t number, Block& holder);
  [[nodiscard]] std::uint32_t blocks_in(std::uint32_t group) const;
  [[nodiscard]] bool is_system_block(const GroupDescriptor& group, std::uint32_t block) const;
  Result<BlockRun> find_blocks(std::uint32_t goal, std::uint32_t wanted);
  void note_freed_block(std::uint32_t block);
  void note_freed_inode(std::uint32_t inode);
  [[nodiscard]] std::uint32_t past_freed(std::uint32_t block) const;
  [[nodiscard]] bool freed_lately(std::uint32_t inode) const;
  bool hide_fresh(std::uint32_t block, std::uint8_t* data) override;
  void show_fresh(std::uint32_t block, std::uint8_t* data) override;
  void all_written() override;
  Result<BlockRun> allocate_in_group(std::uint32_t number, std::uint32_t from,
                                     std::uint32_t wanted);
  void drop_idle_nodes(std::uint32_t keep);

  struct Fresh {
    std::uint32_t block, offset;
    std::uint16_t links = 0;  // while it is hidden
    std::uint32_t deletion_time = 0;
  };

  static constexpr std::uint32_t buckets = 4096;
  static constexpr std::uint32_t max_nodes = 20'000, dropped_at_once = max_nodes / 16;

  BlockDevice& device_;
  BlockCache* cache_ = nullptr;
  Superblock super_ = {};
  std::uint32_t block_size_ = 0, inode_size_ = small_inode, groups_ = 0;
  std::uint32_t table_blocks_ = 0;  // of each group's inode table
  std::uint32_t first_inode_ = 11;
  bool read_only_ = true, mounted_ = false;
  bool lost_ = false, lost_untold_ = false;
  // Since the last write-back of metadata. What was freed is given to nobody before the image has
  // forgotten its old use: else, when the machine is killed, two would have it.
  Vec<BlockRun> freed_blocks_;
  Vec<std::uint32_t> freed_inodes_;
  bool freed_unnoted_ = false;  // there was no memory for that: nobody gets anything before
  Vec<Fresh> fresh_;
  Node* table_[buckets] = {};
  Node* oldest_ = nullptr;  // of all in memory, by last look-up
  Node* newest_ = nullptr;
  std::uint32_t nodes_ = 0;
  std::uint32_t drop_at_ = max_nodes;  // so many; more if few of them were idle
  std::uint32_t dirty_pages_ = 0;      // at most: since the last write-back
};

}  // namespace guest::ext2
