// RamInode: attributes of RAM file system inodes, and the small kinds: symlinks and device nodes.
#include "guest/abi/file_structs.h"
#include "guest/base/clock.h"
#include "guest/fs/ram/ramfs.h"
#include "guest/mm/frames.h"
#include "guest/vfs/device_number.h"
#include "guest/vfs/devices.h"

namespace guest {
namespace {

std::uint32_t last_inode_number = 0;  // numbers are never used again
constexpr char all_of_ram = 0;        // there is one RAM file system, whatever is mounted of it
std::uint32_t inodes = 0;             // that there are

}  // namespace

const void* RamInode::file_system() const {
  return &all_of_ram;
}

RamInode* ram_inode(Inode& inode) {
  return inode.file_system() == &all_of_ram ? static_cast<RamInode*>(&inode) : nullptr;
}

RamDirectory* ram_directory(Inode& inode) {
  return inode.is(mode_directory) ? static_cast<RamDirectory*>(ram_inode(inode)) : nullptr;
}

Result<FileSystemSpace> RamInode::space() {
  FileSystemSpace space{};
  space.type = abi::tmpfs_magic;
  space.block_size = vmi::page_size;
  space.blocks = frames_total().number;
  space.blocks_free = space.blocks_available = frames_free().number;
  return space;
}

RamInode::RamInode(std::uint32_t mode) : mode_(mode), number_(++last_inode_number) {
  atime_ns_ = mtime_ns_ = ctime_ns_ = realtime_ns();
  ++inodes;
}

RamInode::~RamInode() {
  --inodes;
  delete attributes_;
}

Result<> RamInode::check_room() {
  return inodes < most ? Result<>() : Errno::nospc;
}

Stat RamInode::stat() {
  Stat s{};
  s.device = device_of_ram;
  s.inode = number_;
  s.mode = mode_;
  s.links = links_;
  s.uid = uid_;
  s.gid = gid_;
  s.block_size = vmi::page_size;
  s.atime_ns = atime_ns_;
  s.mtime_ns = mtime_ns_;
  s.ctime_ns = ctime_ns_;
  return s;
}

Result<> RamInode::set_mode(std::uint32_t mode) {
  mode_ = (mode_ & mode_type) | (mode & 07777);
  note_change();
  return {};
}

Result<> RamInode::set_owner(std::uint32_t uid, std::uint32_t gid) {
  constexpr std::uint32_t unchanged = 0xffffffff;
  if (uid != unchanged) uid_ = uid;
  if (gid != unchanged) gid_ = gid;
  // As Linux does it: a change of owner takes the set-id bits from what is not a directory.
  if (!is(mode_directory)) mode_ &= ~(04000u | ((mode_ & 010) ? 02000u : 0u));
  note_change();
  return {};
}

Result<> RamInode::set_times(std::uint64_t atime_ns, std::uint64_t mtime_ns) {
  atime_ns_ = atime_ns;
  mtime_ns_ = mtime_ns;
  note_change();
  return {};
}

Result<String> RamInode::attribute(std::string_view name) {
  return attributes_ ? attributes_->get(name) : Errno::nodata;
}

Result<> RamInode::set_attribute(std::string_view name, std::string_view value,
                                 Attributes::Condition condition) {
  if (!attributes_) attributes_ = new (std::nothrow) Attributes;
  if (!attributes_) return Errno::nospc;
  TRY(attributes_->set(name, value, condition));
  note_change();
  return {};
}

Result<> RamInode::remove_attribute(std::string_view name) {
  if (!attributes_) return Errno::nodata;
  TRY(attributes_->remove(name));
  note_change();
  return {};
}

Result<String> RamInode::attributes() {
  return attributes_ ? attributes_->names() : String();
}

void RamInode::accessed() {
  const std::uint64_t now = realtime_ns();
  if (access_is_due(atime_ns_, mtime_ns_, ctime_ns_, now)) atime_ns_ = now;
}

void RamInode::drop_link() {
  if (links_) --links_;
  note_change();
}

void RamInode::restore(std::uint32_t uid, std::uint32_t gid, std::uint64_t time_ns) {
  uid_ = uid;
  gid_ = gid;
  atime_ns_ = mtime_ns_ = ctime_ns_ = time_ns;
}

void RamInode::modified() {
  contents_changed();
  mtime_ns_ = ctime_ns_ = realtime_ns();
}
void RamInode::note_change() {
  ctime_ns_ = realtime_ns();
}

Stat RamSymlink::stat() {
  Stat s = RamInode::stat();
  s.size = target_.size();
  return s;
}

Stat RamDevice::stat() {
  Stat s = RamInode::stat();
  s.rdev = rdev_;
  return s;
}

Result<Ref<File>> RamDevice::open(std::uint32_t flags) {
  if (!is(mode_character)) return Errno::nxio;
  return open_device(Ref<Inode>(this), rdev_, flags);
}

}  // namespace guest
