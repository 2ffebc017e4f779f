// Inode and File: what a file system or a device offers the rest of the kernel.
//
// An Inode is a file's identity and contents; a File is an open file description (position,
// flags), shared by dup and fork. Everything here runs in a process's system call, may block on a
// WaitQueue, and moves data between user memory and its own pages only by mm/user.h.
#pragma once

#include <cstdint>
#include <string_view>

#include "guest/base/list.h"
#include "guest/base/ref.h"
#include "guest/base/result.h"
#include "guest/heap/heap.h"
#include "guest/heap/string.h"
#include "guest/mm/page_source.h"
#include "guest/mm/user.h"
#include "guest/vfs/attributes.h"
#include "guest/vfs/source.h"
#include "guest/vfs/stat.h"

namespace guest {

class File;
class FileLocks;
class Inode;

/// An inode, and the directory in which it was found, if in one: from it /proc makes its path.
struct Place {
  Ref<Inode> inode, directory;
};

/// What was done to a file, or to the entry `name` of a directory. Bits as inotify has them.
struct Notice {
  std::uint32_t events;
  std::uint32_t cookie;
  std::string_view name;
};

/// Somebody who wants to hear of what is done to an inode.
struct InodeWatcher {
  ListNode inode_node;
  std::uint32_t wanted = 0;
  /// Some of what it wants. It may leave the list.
  virtual void happened(const Notice& notice) = 0;
  /// The last name and the last user are gone. It leaves the list.
  virtual void inode_gone() = 0;

 protected:
  ~InodeWatcher() = default;
};

/// Where an inode has gone while somebody used it, or, if it was removed, where that was.
struct LastPlace : Allocated<HeapKind::inode> {
  Ref<Inode> directory;  // not of a directory
  String name;
  bool removed = false;
};

class Inode : public PageSource, public Allocated<HeapKind::inode> {
 public:
  ~Inode() override;
  /// Identity and attributes, kept by the inode itself.
  virtual Stat stat() = 0;
  [[nodiscard]] virtual std::uint32_t mode() const = 0;

  // -- Contents (regular files and devices). Offsets in bytes.
  virtual Result<std::size_t> read(std::uint64_t, UserAddress, std::size_t) { return Errno::inval; }
  virtual Result<std::size_t> write(std::uint64_t, Source, std::size_t) { return Errno::inval; }
  /// Into kernel memory: the ELF loader and shebang lines. Short only at end of file.
  virtual Result<std::size_t> peek(std::uint64_t, void*, std::size_t) { return Errno::inval; }
  virtual Result<> truncate(std::uint64_t) { return Errno::inval; }
  /// From a byte below the end, the first that is data, or that is not: what no one has written may
  /// be a hole. ENXIO: no data follows.
  virtual Result<std::uint64_t> next(bool data, std::uint64_t at) { return data ? at : length(); }
  /// What is stored of [begin, end) becomes zeros, and its whole pages holes where that can be.
  virtual Result<> punch(std::uint64_t /*begin*/, std::uint64_t /*end*/) { return Errno::notsup; }
  /// What can be done to it no more: memfd_create(2) calls it seals. EINVAL: it knows none.
  virtual Result<std::uint32_t> seals() { return Errno::inval; }
  /// More of them, for ever. EPERM: no more may be added; EBUSY: writing is to end, and a mapping
  /// could.
  virtual Result<> add_seals(std::uint32_t) { return Errno::inval; }
  // -- As a PageSource: regular files that can be mapped have pages.
  std::uint64_t length() override { return stat().size; }
  Result<FrameRun> pages(std::uint64_t /*page*/, Frames /*max*/) override { return Errno::nodev; }
  Identity identity() override {
    const Stat now = stat();
    return {now.device, now.inode};
  }

  // -- Directories.
  virtual Result<Ref<Inode>> lookup(std::string_view) { return Errno::notdir; }
  virtual Result<Ref<Inode>> create(std::string_view, std::uint32_t /*mode*/,
                                    std::uint64_t /*rdev*/) {
    return Errno::notdir;
  }
  /// A regular file here that has no name.
  virtual Result<Ref<Inode>> create_unnamed(std::uint32_t /*mode*/) {
    return is(mode_directory) ? Errno::notsup : Errno::notdir;
  }
  virtual Result<Ref<Inode>> symlink(std::string_view, std::string_view /*target*/) {
    return Errno::notdir;
  }
  virtual Result<> link(std::string_view, Inode&) { return Errno::notdir; }
  virtual Result<> unlink(std::string_view) { return Errno::notdir; }
  virtual Result<> rmdir(std::string_view) { return Errno::notdir; }
  virtual Result<> rename(std::string_view, Inode& /*to*/, std::string_view) {
    return Errno::notdir;
  }
  /// Two names change places: what they name may be of any kind. EINVAL: the file system cannot.
  virtual Result<> exchange(std::string_view, Inode& /*other*/, std::string_view) {
    return Errno::inval;
  }
  /// The entry at cursor `position`, which moves past it; ENOENT at the end.
  virtual Result<DirectoryEntry> entry(std::uint64_t& /*position*/) { return Errno::notdir; }
  virtual Result<Ref<Inode>> parent() { return Errno::notdir; }

  // -- Symbolic links.
  virtual Result<String> target() { return Errno::inval; }
  /// Links that lead straight to a file, as /proc/self/fd/0 does: no path is walked. EINVAL:
  /// others.
  virtual Result<Place> jump() { return Errno::inval; }

  // -- Attributes.
  /// EROFS: nothing on the file system can be changed.
  virtual Result<> check_writable() { return {}; }
  virtual Result<> set_mode(std::uint32_t) { return Errno::perm; }
  virtual Result<> set_owner(std::uint32_t, std::uint32_t) { return Errno::perm; }
  virtual Result<> set_times(std::uint64_t /*atime_ns*/, std::uint64_t /*mtime_ns*/) {
    return Errno::perm;
  }
  // -- Extended ones. EOPNOTSUPP: the file system keeps none.
  virtual Result<String> attribute(std::string_view) { return Errno::notsup; }
  virtual Result<> set_attribute(std::string_view, std::string_view /*value*/,
                                 Attributes::Condition) {
    return Errno::notsup;
  }
  virtual Result<> remove_attribute(std::string_view) { return Errno::notsup; }
  /// Their names, each with a NUL behind it.
  virtual Result<String> attributes() { return String(); }
  /// Somebody has read it: its access time may be due.
  virtual void accessed() {}

  // -- The file system underneath.
  /// Which one it is: link and rename only work within one. What is in a file system is of its own
  /// classes.
  [[nodiscard]] virtual const void* file_system() const { return this; }
  /// Its room. ENOSYS: it keeps no account.
  virtual Result<FileSystemSpace> space() { return Errno::nosys; }

  /// Devices and pipes make a File class of their own here; files and directories the plain one.
  virtual Result<Ref<File>> open(std::uint32_t flags);
  /// An open file description is gone.
  virtual void closed(std::uint32_t /*flags*/) {}

  // -- A regular file is open for writing, or is a program that runs: never both.
  /// ETXTBSY: it runs.
  [[nodiscard]] Result<> check_not_run() const { return runners_ ? Errno::txtbsy : Result<>(); }
  /// Until allow_writes(). ETXTBSY: it is open for writing.
  Result<> deny_writes() {
    if (writers_) return Errno::txtbsy;
    ++runners_;
    return {};
  }
  void allow_writes() { --runners_; }

  /// It was made without a name, and may get one.
  bool waits_for_name = false;
  // -- Who watches it (vfs/notice.h tells them).
  void add_watcher(InodeWatcher& watcher) { watchers_.push_back(watcher); }
  [[nodiscard]] bool is_watched() const { return !watchers_.empty(); }
  [[nodiscard]] bool is_watched_for(std::uint32_t events);
  void tell_watchers(const Notice& notice);
  void gone();
  /// Some open file leads to it.
  [[nodiscard]] bool is_open() const { return openings_ > 0; }

  // -- Whoever has found it knows the directory (Place), and looks its name up there. This is for
  // those who do not find it there any more.
  /// Its name has changed or, with `removed`, is gone.
  void note_place(const Ref<Inode>& directory, std::string_view name, bool removed);
  /// nullptr: nothing has happened, or there was no memory to note it.
  [[nodiscard]] const LastPlace* last_place() const { return last_place_; }

  [[nodiscard]] bool is(std::uint32_t type) const { return (mode() & mode_type) == type; }
  /// Of what has no name anywhere, how /proc calls it: "[eventfd]". nullptr: other inodes.
  [[nodiscard]] virtual const char* anonymous_name() const { return nullptr; }

  /// Somebody holds a lock on it, or waits for one (file_locks.h).
  [[nodiscard]] bool locked() const { return locks_ != nullptr; }

 private:
  friend class File;
  friend class FileLocks;
  FileLocks* locks_ = nullptr;
  List<InodeWatcher, &InodeWatcher::inode_node> watchers_;
  std::uint32_t openings_ = 0;  // open files
  std::uint32_t writers_ = 0;  // those of them that write
  std::uint32_t runners_ = 0;  // programs
  LastPlace* last_place_ = nullptr;
};

/// Somebody who knows an open file without keeping it open: epoll.
struct FileWatcher {
  ListNode watcher_node;
  /// Its last user has let go. The watcher leaves the file's list, and its queue.
  virtual void file_closes() = 0;

 protected:
  ~FileWatcher() = default;
};

/// An open file description. The base class reads and writes its inode at a position.
class File : public Counted, public Allocated<HeapKind::file> {
 public:
  File(Ref<Inode> inode, std::uint32_t flags);
  virtual ~File();
  /// Watchers go first, while all of the file is still there.
  [[nodiscard]] bool release() {
    if (!Counted::release()) return false;
    while (FileWatcher* watcher = watchers.front()) watcher->file_closes();
    return true;
  }
  /// Which class it is, where somebody must know: the address of its `tag` (file_as).
  [[nodiscard]] virtual const void* class_tag() const { return nullptr; }

  virtual Result<std::size_t> read(UserAddress to, std::size_t bytes);
  virtual Result<std::size_t> write(Source from, std::size_t bytes);
  /// Of a regular file, without regard to the position.
  Result<std::size_t> write_at(std::uint64_t at, Source from, std::size_t bytes);
  virtual Result<std::uint64_t> seek(std::int64_t offset, int whence);
  virtual Result<std::int64_t> ioctl(std::uint32_t /*request*/, std::uint64_t /*argument*/) {
    return Errno::notty;
  }
  /// POLLIN, POLLOUT, POLLHUP… as they stand now.
  virtual std::uint32_t poll_state();
  /// Pipes and terminals have no position: lseek, pread and pwrite fail with ESPIPE.
  [[nodiscard]] virtual bool seekable() const { return true; }
  /// Notified with the bits that poll_state may have gained, also by bytes that join others; lives
  /// as long as this. nullptr: poll_state never changes.
  virtual class WaitQueue* events() { return nullptr; }

  /// Something has been read from it.
  void note_access();

  Inode& inode() { return *inode_; }
  [[nodiscard]] const Ref<Inode>& inode_ref() const { return inode_; }
  [[nodiscard]] Place place() const { return {inode_, found_in}; }

  std::uint64_t position = 0;
  std::uint32_t flags;  // O_ACCMODE, O_APPEND, O_NONBLOCK…
  Ref<Inode> found_in;  // the directory in which open found it: from it /proc makes its path
  List<FileWatcher, &FileWatcher::watcher_node> watchers;

 private:
  [[nodiscard]] bool writes() const;
  Ref<Inode> inode_;
};

/// The file as a T, if it is one.
template <class T>
T* file_as(File& file) {
  return file.class_tag() == &T::tag ? static_cast<T*>(&file) : nullptr;
}

}  // namespace guest
