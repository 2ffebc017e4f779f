// Mounting, unmounting, and the inodes in memory; see file_system.h.
#include "guest/fs/ext2/file_system.h"

#include <algorithm>
#include <new>
#include <utility>

#include "guest/base/clock.h"
#include "guest/base/log.h"
#include "guest/base/narrow.h"
#include "guest/fs/ext2/node.h"
#include "guest/heap/make.h"

namespace guest::ext2 {
namespace {

Errno refuse(const char* why) {
  log("typetwo guest: cannot mount the image: %s\n", why);
  return Errno::inval;
}

}  // namespace

Result<FileSystem*> FileSystem::mount(BlockDevice& device) {
  auto* fs = new (std::nothrow) FileSystem(device);
  if (!fs) return Errno::nomem;
  auto prepare = [&]() -> Result<> {
    TRY(fs->read_superblock());
    fs->cache_ = new (std::nothrow) BlockCache(device, fs->block_size_, *fs);
    if (!fs->cache_) return Errno::nomem;
    TRY(fs->check_groups());
    Ref<Node> root = TRY(fs->root());
    return fs->read_only_ ? Result<>() : fs->mark_mounted();
  };
  auto prepared = prepare();
  if (prepared.ok()) return fs;
  delete fs;
  return prepared.error();
}

FileSystem::~FileSystem() {
  read_only_ = true;
  drop_idle_nodes(0);
  delete cache_;
}

Result<> FileSystem::read_superblock() {
  if (device_.bytes() < superblock_offset + 1024) return refuse("it is too small");
  alignas(8) std::uint8_t sector[512];
  TRY(device_.read(superblock_offset, sector, sizeof sector));
  __builtin_memcpy(&super_, sector, sizeof super_);
  const Superblock& s = super_;
  if (s.magic != superblock_magic) return refuse("no ext2 superblock (make it with mke2fs)");
  if (s.log_block_size > 2) return refuse("its blocks are larger than 4 KiB");
  block_size_ = 1024u << s.log_block_size;
  if (s.revision == 0)
    super_.compatible = super_.incompatible = super_.read_only_compatible = 0;
  else
    inode_size_ = s.inode_size, first_inode_ = s.first_inode;
  if (s.incompatible & ~incompatible_known)
    return refuse("it has features that ext2 lacks (make it with mke2fs -t ext2)");
  bool inodes_fit = (inode_size_ & (inode_size_ - 1)) == 0 && inode_size_ >= small_inode &&
                    inode_size_ <= block_size_ && first_inode_ >= 11;
  if (!inodes_fit || s.first_data_block != (block_size_ == 1024 ? 1 : 0) ||
      s.blocks_count <= s.first_data_block + 1 || s.blocks_per_group == 0 ||
      s.blocks_per_group > 8 * block_size_ || s.inodes_per_group == 0 ||
      s.inodes_per_group > 8 * block_size_)
    return refuse("its superblock is damaged (try e2fsck)");
  if (std::uint64_t{s.blocks_count} * block_size_ > device_.bytes())
    return refuse("it is truncated: shorter than its file system");
  groups_ = (s.blocks_count - s.first_data_block - 1) / s.blocks_per_group + 1;
  table_blocks_ = (s.inodes_per_group * inode_size_ + block_size_ - 1) / block_size_;
  if (s.inodes_count != std::uint64_t{groups_} * s.inodes_per_group)
    return refuse("its superblock is damaged (try e2fsck)");

  const char* why = nullptr;
  if (device_.read_only()) {
  } else if (s.read_only_compatible & ~read_only_known) {
    why = "it has features that ext2 lacks";
  } else if (s.state != state_clean) {
    why = "it was not unmounted cleanly (run e2fsck -p on it)";
  } else {
    read_only_ = false;
  }
  if (why) log("typetwo guest: the image is mounted read-only: %s\n", why);
  return {};
}

// Every group's bitmaps and inode table lie in the image.
Result<> FileSystem::check_groups() {
  for (std::uint32_t i = 0; i < groups_; ++i) {
    Block holder;
    const GroupDescriptor& g = *TRY(group(i, holder));
    if (!valid_block(g.block_bitmap) || !valid_block(g.inode_bitmap) ||
        !valid_block(g.inode_table) || table_blocks_ > super_.blocks_count - g.inode_table)
      return refuse("its group descriptors are damaged (try e2fsck)");
  }
  return {};
}

Result<GroupDescriptor*> FileSystem::group(std::uint32_t number, Block& holder) {
  const auto per_block = narrow<std::uint32_t>(block_size_ / sizeof(GroupDescriptor));
  holder = TRY(cache_->get(super_.first_data_block + 1 + number / per_block));
  return holder.at<GroupDescriptor>(number % per_block * sizeof(GroupDescriptor));
}

Result<> FileSystem::store_superblock(bool clean) {
  Block block = TRY(cache_->get(static_cast<std::uint32_t>(superblock_offset / block_size_)));
  auto& s = *block.at<Superblock>(superblock_offset % block_size_);
  s.free_blocks = super_.free_blocks;
  s.free_inodes = super_.free_inodes;
  s.mount_time = super_.mount_time;
  s.mount_count = super_.mount_count;
  s.write_time = static_cast<std::uint32_t>(realtime_ns() / ns_per_second);
  s.state = clean ? state_clean : 0;
  if (has_features()) s.read_only_compatible = super_.read_only_compatible;
  block.changed();
  return {};
}

Result<> FileSystem::mark_mounted() {
  ++super_.mount_count;
  super_.mount_time = static_cast<std::uint32_t>(realtime_ns() / ns_per_second);
  TRY(store_superblock(false));
  TRY(cache_->write_back());
  TRY(device_.flush());
  mounted_ = true;
  return {};
}

Result<> FileSystem::sync() {
  if (!read_only_)
    for (Node* node = oldest_; node; node = node->newer) TRY(node->write_back());
  TRY(sync_metadata());
  return std::exchange(lost_untold_, false) ? Errno::io : Errno::ok;
}

Result<> FileSystem::sync_metadata() {
  if (read_only_) return mounted_ ? Errno::io : Errno::ok;
  TRY(store_superblock(false));
  TRY(cache_->write_back());
  return device_.flush();
}

Result<> FileSystem::write_metadata() {
  TRY(check_writable());
  return cache_->write_back();
}

Result<> FileSystem::unmount() {
  if (read_only_) return {};
  TRY(sync());
  // A file that is removed but still open will never be closed: its blocks become free here.
  for (Node* node = oldest_; node; node = node->newer)
    if (node->raw_.links == 0) node->free_all();
  TRY(sync_metadata());
  if (lost_) return Errno::io;
  // Alone, behind all that makes it true.
  TRY(store_superblock(true));
  TRY(cache_->write_back());
  TRY(device_.flush());
  read_only_ = true;
  mounted_ = false;
  return {};
}

Errno FileSystem::corrupt(const char* what, std::uint64_t number) {
  if (!read_only_ || !mounted_) {
    log("typetwo guest: the image is damaged (%s %lu): run e2fsck on it%s\n", what, number,
        read_only_ ? "" : "; read-only from now on");
  }
  read_only_ = true;
  mounted_ = true;  // said once; sync() fails
  return Errno::io;
}

Result<Block> FileSystem::block(std::uint32_t number) {
  if (!valid_block(number)) return corrupt("block number", number);
  return cache_->get(number);
}

Result<Block> FileSystem::inode_block(std::uint32_t number, std::uint32_t& offset) {
  bool exists = number == root_inode_number || number >= first_inode_;
  if (!exists || number > super_.inodes_count) return corrupt("inode number", number);
  Block holder;
  std::uint32_t table = TRY(group(group_of_inode(number), holder))->inode_table;
  std::uint64_t at = std::uint64_t{(number - 1) % super_.inodes_per_group} * inode_size_;
  offset = static_cast<std::uint32_t>(at % block_size_);
  Block found = TRY(block(table + static_cast<std::uint32_t>(at / block_size_)));
  found.holds_inodes();
  return found;
}

FileSystemSpace FileSystem::space() const {
  std::uint64_t available =
      super_.free_blocks > super_.reserved_blocks ? super_.free_blocks - super_.reserved_blocks : 0;
  return {superblock_magic, block_size_,         super_.blocks_count, super_.free_blocks,
          available,        super_.inodes_count, super_.free_inodes};
}

// -- Inodes in memory.

Result<Ref<Node>> FileSystem::root() {
  Ref<Node> found = TRY(node(root_inode_number));
  if (!found->is(mode_directory)) return corrupt("root is no directory, inode", root_inode_number);
  return found;
}

Result<Ref<Node>> FileSystem::node(std::uint32_t number) {
  for (Node* node = table_[number % buckets]; node; node = node->next_in_bucket) {
    if (node->number() != number) continue;
    if (node->raw_.links == 0) return corrupt("entry for a removed inode", number);
    Ref<Node> found(node);
    leave(*node);
    enter(*node);
    return found;
  }
  return Node::load(*this, number);
}

Result<Ref<Node>> FileSystem::new_node(std::uint32_t number) {
  auto made = make_ref<Node>(*this, number);
  if (made.ok()) return made;
  drop_idle_nodes(nodes_ > dropped_at_once ? nodes_ - dropped_at_once : 0);
  return make_ref<Node>(*this, number);
}

void FileSystem::enter(Node& node) {
  if (nodes_ >= drop_at_) {
    drop_idle_nodes(max_nodes - dropped_at_once);
    drop_at_ = std::max(max_nodes, nodes_ + dropped_at_once);
  }
  Node*& bucket = table_[node.number() % buckets];
  node.next_in_bucket = bucket;
  bucket = &node;
  node.older = newest_;
  node.newer = nullptr;
  (newest_ ? newest_->newer : oldest_) = &node;
  newest_ = &node;
  ++nodes_;
}

void FileSystem::leave(Node& node) {
  Node** at = &table_[node.number() % buckets];
  while (*at && *at != &node) at = &(*at)->next_in_bucket;
  if (!*at) return;
  *at = node.next_in_bucket;
  (node.older ? node.older->newer : oldest_) = node.newer;
  (node.newer ? node.newer->older : newest_) = node.older;
  --nodes_;
}

void FileSystem::let_go(Node& node) {
  if (!node.held) return;
  node.held = false;
  (void)node.release();  // the caller has a reference of its own
}

void FileSystem::drop_idle_nodes(std::uint32_t keep) {
  for (Node* node = oldest_; node && nodes_ > keep;) {
    Node* next = node->newer;
    if (node->idle()) {
      (void)node->write_back();
      node->held = false;
      if (node->release()) delete node;
    }
    node = next;
  }
}

void FileSystem::limit_cache() {
  const Frames least = frames_total() / 8;
  if (frames_free() < least) drop_pages((least + least - frames_free()).number);
}

void FileSystem::drop_pages(std::uint32_t wanted) {
  for (Node* node = oldest_; node && wanted; node = node->newer) wanted -= node->drop_pages(wanted);
}

void FileSystem::limit_dirty(std::uint32_t pages) {
  dirty_pages_ += pages;
  if (dirty_pages_ < (frames_total() / 8).number) return;
  dirty_pages_ = 0;
  for (Node* node = oldest_; node; node = node->newer) (void)node->write_back();
}

}  // namespace guest::ext2
