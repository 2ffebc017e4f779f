// Node: attributes, symlinks, device nodes, and an inode's end; see node.h.
#include "guest/fs/ext2/node.h"

#include "guest/abi/file_flags.h"
#include "guest/base/clock.h"
#include "guest/heap/make.h"
#include "guest/vfs/device_number.h"
#include "guest/vfs/devices.h"

namespace guest::ext2 {
namespace {

constexpr std::uint64_t disk_device = device_number(8, 0);  // where Linux has its first disk
constexpr std::uint32_t nanosecond_shift = 2, epoch_mask = 3;

}  // namespace

Result<Ref<Node>> Node::load(FileSystem& fs, std::uint32_t number) {
  std::uint32_t offset = 0;
  Block block = TRY(fs.inode_block(number, offset));
  auto node = TRY(fs.new_node(number));
  std::size_t bytes = fs.inode_size() < sizeof(DiskInode) ? fs.inode_size() : sizeof(DiskInode);
  __builtin_memcpy(&node->raw_, block.data() + offset, bytes);
  auto checked = node->check_loaded();
  if (!checked.ok()) {
    node->raw_.links = 1;  // nothing is to be freed
    return checked.error();
  }
  fs.enter(*node);
  node->hold();
  return node;
}

void Node::hold() {
  if (held) return;
  retain();
  held = true;
}

Result<> Node::check_loaded() {
  if (raw_.links == 0 || raw_.mode == 0) return fs_.corrupt("entry for a removed inode", number_);
  if (raw_.extra_bytes > fs_.inode_size() - small_inode && fs_.inode_size() > small_inode)
    return fs_.corrupt("size of inode", number_);
  size_ = raw_.size;
  if (is(mode_regular)) size_ |= std::uint64_t{raw_.size_high} << 32;
  std::uint32_t unit = fs_.block_size();
  switch (mode() & mode_type) {
    case mode_regular:
      return size_ <= max_size() ? Result<>() : fs_.corrupt("file size in inode", number_);
    case mode_directory:
      if (size_ == 0 || size_ % unit || size_ / unit > fs_.block_count())
        return fs_.corrupt("directory size in inode", number_);
      return {};
    case mode_symlink:
      if (size_ == 0 || size_ > (is_fast_symlink() ? sizeof raw_.block - 1 : unit))
        return fs_.corrupt("symlink size in inode", number_);
      return {};
    case mode_character:
    case mode_block:
    case mode_fifo:
    case mode_socket:
      return {};
    default:
      return fs_.corrupt("file type in inode", number_);
  }
}

Result<Ref<Node>> Node::make(FileSystem& fs, std::uint32_t number, std::uint32_t mode) {
  auto node = TRY(fs.new_node(number));
  node->raw_.mode = static_cast<std::uint16_t>(mode);
  node->raw_.links = 1;
  if (fs.inode_size() > small_inode) node->raw_.extra_bytes = extra_inode_bytes;
  std::uint64_t now = realtime_ns();
  node->set_time(node->raw_.access_time, node->raw_.access_extra, now);
  node->set_time(node->raw_.creation_time, node->raw_.creation_extra, now);
  std::uint32_t offset = 0;
  Block block = TRY(fs.inode_block(number, offset));
  // Who had the number before left his generation, which must change, and maybe attributes.
  node->raw_.generation = block.at<DiskInode>(offset)->generation + 1;
  __builtin_memset(block.data() + offset, 0, fs.inode_size());
  block.changed();
  TRY(fs.note_fresh(block, offset));
  fs.enter(*node);
  node->hold();
  TRY(node->touch());
  return node;
}

Result<> Node::store() {
  TRY(fs_.check_writable());
  std::uint32_t offset = 0;
  Block block = TRY(fs_.inode_block(number_, offset));
  raw_.size = static_cast<std::uint32_t>(size_);
  if (is(mode_regular)) raw_.size_high = static_cast<std::uint32_t>(size_ >> 32);
  if (is(mode_regular) && size_ > most_without_large_file) fs_.note_large_file();
  std::size_t bytes = small_inode;
  if (raw_.extra_bytes >= extra_inode_bytes && fs_.inode_size() >= sizeof raw_) bytes = sizeof raw_;
  __builtin_memcpy(block.data() + offset, &raw_, bytes);
  block.changed();
  return {};
}

// The last reference is gone. Without a name it is the end of the file, too.
Node::~Node() {
  if (raw_.links == 0 && !fs_.read_only()) free_all();
  forget_dirty_from(0);
  fs_.leave(*this);
  // One by one: removed directories, each of which held the one above, would take stack for each.
  for (auto up = std::move(above_); up && up->references() == 1;) up = std::move(up->above_);
}

void Node::free_all() {
  bool directory = is(mode_directory);
  bool has_blocks = is(mode_regular) || directory || (is(mode_symlink) && !is_fast_symlink());
  forget_dirty_from(0);
  auto freed = has_blocks ? free_blocks_from(0) : Result<>();
  if (freed.ok()) freed = free_attributes();
  if (freed.ok()) {
    size_ = 0;
    raw_.deletion_time = static_cast<std::uint32_t>(realtime_ns() / ns_per_second);
    freed = store();
  }
  if (freed.ok()) freed = fs_.free_inode(number_, directory);
  if (!freed.ok()) fs_.note_lost();  // room, until e2fsck finds it
}

// Extended attributes in a block of their own, which several files may share.
Result<> Node::free_attributes() {
  if (raw_.attribute_block == 0) return {};
  {
    Block block = TRY(fs_.block(raw_.attribute_block));
    auto* head = block.at<AttributeHead>(0);
    if (head->magic != attribute_magic) return fs_.corrupt("attributes of inode", number_);
    if (head->references > 1) {
      --head->references;
      block.changed();
      raw_.attribute_block = 0;
      return {};
    }
  }
  TRY(fs_.free_block(raw_.attribute_block));
  raw_.attribute_block = 0;
  count_blocks(-1);
  return {};
}

// -- Attributes.

Stat Node::stat() {
  Stat s{};
  s.device = disk_device;
  s.inode = number_;
  s.mode = raw_.mode;
  s.links = raw_.links;
  s.uid = raw_.uid | std::uint32_t{raw_.uid_high} << 16;
  s.gid = raw_.gid | std::uint32_t{raw_.gid_high} << 16;
  s.rdev = is(mode_character) || is(mode_block) ? device_number() : 0;
  s.size = size_;
  s.blocks512 = raw_.blocks512;
  s.block_size = vmi::page_size;
  s.atime_ns = time(raw_.access_time, raw_.access_extra);
  s.mtime_ns = time(raw_.modification_time, raw_.modification_extra);
  s.ctime_ns = time(raw_.change_time, raw_.change_extra);
  return s;
}

std::uint64_t Node::time(std::uint32_t seconds, std::uint32_t extra) const {
  if (raw_.extra_bytes < extra_inode_bytes) extra = 0;
  std::uint64_t nanoseconds = extra >> nanosecond_shift;
  return (seconds + (std::uint64_t{extra & epoch_mask} << 32)) * ns_per_second +
         (nanoseconds < ns_per_second ? nanoseconds : 0);
}

void Node::set_time(std::uint32_t& seconds, std::uint32_t& extra, std::uint64_t ns) const {
  seconds = static_cast<std::uint32_t>(ns / ns_per_second);
  extra = static_cast<std::uint32_t>(ns % ns_per_second << nanosecond_shift) |
          (static_cast<std::uint32_t>(ns / ns_per_second >> 32) & epoch_mask);
}

Result<> Node::note_change() {
  set_time(raw_.change_time, raw_.change_extra, realtime_ns());
  return store();
}

Result<> Node::touch() {
  contents_changed();
  std::uint64_t now = realtime_ns();
  set_time(raw_.modification_time, raw_.modification_extra, now);
  set_time(raw_.change_time, raw_.change_extra, now);
  return store();
}

Result<> Node::set_mode(std::uint32_t mode) {
  TRY(fs_.check_writable());
  raw_.mode = static_cast<std::uint16_t>((raw_.mode & mode_type) | (mode & 07777));
  return note_change();
}

Result<> Node::set_owner(std::uint32_t uid, std::uint32_t gid) {
  constexpr std::uint32_t unchanged = 0xffffffff;
  TRY(fs_.check_writable());
  if (uid != unchanged) {
    raw_.uid = static_cast<std::uint16_t>(uid);
    raw_.uid_high = static_cast<std::uint16_t>(uid >> 16);
  }
  if (gid != unchanged) {
    raw_.gid = static_cast<std::uint16_t>(gid);
    raw_.gid_high = static_cast<std::uint16_t>(gid >> 16);
  }
  // As Linux does it: a change of owner takes the set-id bits from what is not a directory.
  if (!is(mode_directory))
    raw_.mode &= static_cast<std::uint16_t>(~(04000u | ((raw_.mode & 010) ? 02000u : 0u)));
  return note_change();
}

Result<> Node::set_times(std::uint64_t atime_ns, std::uint64_t mtime_ns) {
  TRY(fs_.check_writable());
  set_time(raw_.access_time, raw_.access_extra, atime_ns);
  set_time(raw_.modification_time, raw_.modification_extra, mtime_ns);
  return note_change();
}

void Node::accessed() {
  if (fs_.read_only()) return;
  const Stat now = stat();
  const std::uint64_t present = realtime_ns();
  if (!access_is_due(now.atime_ns, now.mtime_ns, now.ctime_ns, present)) return;
  set_time(raw_.access_time, raw_.access_extra, present);
  (void)store();
}

Result<> Node::drop_link(std::uint32_t count) {
  if (raw_.links < count) return fs_.corrupt("link count of inode", number_);
  raw_.links = static_cast<std::uint16_t>(raw_.links - count);
  TRY(note_change());
  if (raw_.links == 0) fs_.let_go(*this);
  return {};
}

// -- Symlinks and devices.

bool Node::is_fast_symlink() const {
  std::uint32_t attributes = raw_.attribute_block ? fs_.block_size() / 512 : 0;
  return is(mode_symlink) && raw_.blocks512 == attributes;
}

Result<String> Node::target() {
  if (!is(mode_symlink)) return Errno::inval;
  if (is_fast_symlink()) {
    const char* text = reinterpret_cast<const char*>(raw_.block);
    return String::from({text, static_cast<std::size_t>(size_)});
  }
  Block block = TRY(fs_.block(raw_.block[0]));
  return String::from({block.at<char>(0), static_cast<std::size_t>(size_)});
}

// Linux's two ways to write a device number: the old one where it fits.
std::uint64_t Node::device_number() const {
  if (raw_.block[0]) return raw_.block[0] & 0xffff;
  return raw_.block[1];
}

Result<Ref<File>> Node::open(std::uint32_t flags) {
  switch (mode() & mode_type) {
    case mode_character:
      return open_device(Ref<Inode>(this), device_number(), flags);
    case mode_block:
    case mode_socket:
      return Errno::nxio;
    case mode_fifo:
      return fifo_.open(Ref<Inode>(this), flags);
    default:
      if (abi::may_write(flags)) TRY(fs_.check_writable());
      return Inode::open(flags);
  }
}

void Node::closed(std::uint32_t) {
  if (is(mode_fifo)) fifo_.closed();
}

Node* FileSystem::own(Inode& inode) const {
  return inode.file_system() == this ? static_cast<Node*>(&inode) : nullptr;
}

}  // namespace guest::ext2
