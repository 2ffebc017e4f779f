// File and Inode: what they do unless a kind of file says otherwise. Called by the system calls.
#include <new>

#include "guest/abi/file_flags.h"
#include "guest/heap/make.h"
#include "guest/vfs/file_locks.h"
#include "guest/vfs/inode.h"
#include "guest/vfs/notice.h"
#include "guest/vfs/open_files.h"

namespace guest {

constinit OpenFiles open_files;

Result<Ref<File>> Inode::open(std::uint32_t flags) {
  return TRY(make_ref<File>(Ref<Inode>(this), flags));
}

bool Inode::is_watched_for(std::uint32_t events) {
  for (InodeWatcher& watcher : watchers_)
    if (watcher.wanted & events) return true;
  return false;
}

void Inode::tell_watchers(const Notice& notice) {
  for (InodeWatcher& watcher : watchers_)
    if (watcher.wanted & notice.events) watcher.happened(notice);
}

void Inode::gone() {
  while (InodeWatcher* watcher = watchers_.front()) watcher->inode_gone();
}

Inode::~Inode() {
  delete last_place_;
}

void Inode::note_place(const Ref<Inode>& directory, std::string_view name, bool removed) {
  // Of a directory that is renamed "..", of one that is removed nothing tells.
  const bool in_use = openings_ || runners_ || last_place_ || (removed && is(mode_directory));
  if (!in_use) return;
  delete last_place_;
  last_place_ = new (std::nothrow) LastPlace;
  if (!last_place_) return;
  auto copy = String::from(name, HeapKind::inode);
  if (!copy.ok()) {
    delete last_place_;
    last_place_ = nullptr;
    return;
  }
  // A directory knows the one above it; if it held that here, too, a deep tree's end would recurse.
  if (!is(mode_directory)) last_place_->directory = directory;
  last_place_->name = copy.release();
  last_place_->removed = removed;
}

File::File(Ref<Inode> inode, std::uint32_t flags) : flags(flags), inode_(std::move(inode)) {
  open_files.add();
  ++inode_->openings_;
  inode_->writers_ += writes();
}

File::~File() {
  open_files.remove();
  if (inode_->locked()) FileLocks::release_all(*inode_, this);
  if (!(flags & abi::o_path)) notice(*this, writes() ? abi::in_close_write : abi::in_close_nowrite);
  --inode_->openings_;
  inode_->writers_ -= writes();
  inode_->closed(flags);
  notice_if_gone(*inode_);
}

bool File::writes() const {
  return abi::may_write(flags) && !(flags & abi::o_path);
}

Result<std::size_t> File::read(UserAddress to, std::size_t bytes) {
  std::size_t done = TRY(inode_->read(position, to, bytes));
  position += done;
  if (bytes) note_access();
  if (done) notice(*this, abi::in_access);
  return done;
}

void File::note_access() {
  if (!(flags & abi::o_noatime)) inode_->accessed();
}

Result<std::size_t> File::write(Source from, std::size_t bytes) {
  if (flags & abi::o_append) position = inode_->stat().size;
  std::size_t done = TRY(write_at(position, from, bytes));
  position += done;
  return done;
}

Result<std::size_t> File::write_at(std::uint64_t at, Source from, std::size_t bytes) {
  std::size_t done = TRY(inode_->write(at, from, bytes));
  if (done) notice(*this, abi::in_modify);
  if (done && (flags & abi::o_dsync)) TRY(inode_->sync());  // which O_SYNC contains
  return done;
}

Result<std::uint64_t> File::seek(std::int64_t offset, int whence) {
  if (!seekable()) return Errno::spipe;
  auto size = static_cast<std::int64_t>(inode_->stat().size);
  std::int64_t base = 0;
  switch (whence) {
    case abi::seek_set:
      break;
    case abi::seek_cur:
      base = static_cast<std::int64_t>(position);
      break;
    case abi::seek_end:
      base = size;
      break;
    case abi::seek_data:
    case abi::seek_hole: {
      if (offset < 0 || offset >= size) return Errno::nxio;
      const auto from = static_cast<std::uint64_t>(offset);
      offset = static_cast<std::int64_t>(TRY(inode_->next(whence == abi::seek_data, from)));
      break;
    }
    default:
      return Errno::inval;
  }
  std::int64_t target = 0;
  if (__builtin_add_overflow(base, offset, &target)) return Errno::overflow;
  if (target < 0) return Errno::inval;
  position = static_cast<std::uint64_t>(target);
  return position;
}

std::uint32_t File::poll_state() {
  return abi::poll_in | abi::poll_out | abi::poll_rdnorm | abi::poll_wrnorm;
}

}  // namespace guest
