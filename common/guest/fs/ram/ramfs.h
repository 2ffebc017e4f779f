// The RAM file system: the root tree, /tmp and all else. Inodes and names live in the kernel heap
// (a regular file with its name takes about 180 bytes of it); contents live in page frames, moved
// straight between frame and user memory. Reached through Inode's virtual functions; made by
// boot_mount and by RamDirectory::create.
#pragma once

#include "guest/abi/file_flags.h"
#include "guest/fs/pipe/named_pipe.h"
#include "guest/fs/ram/name_table.h"
#include "guest/heap/make.h"
#include "guest/heap/string.h"
#include "guest/vfs/file_runs.h"

namespace guest {

/// What all inodes of the RAM file system share: attributes and the link count.
class RamInode : public Inode {
 public:
  explicit RamInode(std::uint32_t mode);
  ~RamInode() override;
  /// All that programs can make. (Linux's tmpfs reckons with memory: half as many as pages.)
  static constexpr std::uint32_t most = 64 * 1024;
  static Result<> check_room();  // ENOSPC

  Stat stat() override;
  [[nodiscard]] std::uint32_t mode() const override { return mode_; }
  Result<> set_mode(std::uint32_t mode) override;
  Result<> set_owner(std::uint32_t uid, std::uint32_t gid) override;
  Result<> set_times(std::uint64_t atime_ns, std::uint64_t mtime_ns) override;
  Result<String> attribute(std::string_view name) override;
  Result<> set_attribute(std::string_view name, std::string_view value,
                         Attributes::Condition condition) override;
  Result<> remove_attribute(std::string_view name) override;
  Result<String> attributes() override;
  void accessed() override;
  [[nodiscard]] const void* file_system() const override;
  Result<FileSystemSpace> space() override;

  void add_link() { ++links_; }
  void drop_link();
  void note_change();  // attributes changed now: a name came, went or moved
  [[nodiscard]] std::uint32_t links() const { return links_; }

  /// Attributes as the boot tree has them, change time included.
  void restore(std::uint32_t uid, std::uint32_t gid, std::uint64_t time_ns);

 protected:
  void modified();  // contents changed now

 private:
  std::uint32_t mode_;
  std::uint32_t uid_ = 0, gid_ = 0;
  std::uint32_t links_ = 0;
  std::uint32_t number_;
  std::uint64_t atime_ns_, mtime_ns_, ctime_ns_;
  Attributes* attributes_ = nullptr;  // made for the first one
};

class RamFile : public RamInode {
 public:
  explicit RamFile(std::uint32_t mode) : RamInode(mode_regular | (mode & 07777)) {}

  Stat stat() override;
  Result<std::size_t> read(std::uint64_t at, UserAddress to, std::size_t bytes) override;
  Result<std::size_t> write(std::uint64_t at, Source from, std::size_t bytes) override;
  Result<std::size_t> peek(std::uint64_t at, void* to, std::size_t bytes) override;
  Result<> truncate(std::uint64_t size) override;
  Result<std::uint64_t> next(bool data, std::uint64_t at) override;
  Result<> punch(std::uint64_t begin, std::uint64_t end) override;
  Result<FrameRun> pages(std::uint64_t page, Frames max) override;
  [[nodiscard]] bool has_page(std::uint64_t page) const override;
  void closed(std::uint32_t flags) override;
  Result<> set_mode(std::uint32_t mode) override;
  Result<std::uint32_t> seals() override { return seals_; }
  Result<> add_seals(std::uint32_t seals) override;

  /// At boot: takes `frames` over as the contents. Their last page is zero behind `size`.
  Result<> adopt(FrameRun frames, std::uint64_t size);

 protected:
  // Files with names have that one, as on Linux: nobody can add others.
  std::uint32_t seals_ = abi::seal_seal;

 private:
  [[nodiscard]] bool sealed(std::uint32_t any) const { return seals_ & any; }
  Result<std::size_t> sealed_room(std::uint64_t at, std::size_t bytes) const;
  Result<FrameRun> allocate_frames(std::uint32_t page, std::uint32_t wanted);
  Result<> fill_hole(std::uint32_t page, std::uint32_t wanted);
  Result<std::size_t> write_span(std::uint64_t at, Source from, std::size_t bytes);
  void clear_behind_end(std::uint64_t to);
  void leave_gap(std::uint64_t to);
  [[nodiscard]] std::uint32_t pages_in_size() const;

  // Frames behind the page that the end lies in are set aside, and hold anything. What that page
  // holds behind the end is zero while tail_clean_, and whenever it can be mapped.
  std::uint64_t size_ = 0;
  FileRuns runs_;
  bool tail_clean_ = true;
};

/// A file of memfd_create's, which has a name for /proc only.
class MemoryFile final : public RamFile {
 public:
  MemoryFile(String name, std::uint32_t mode, std::uint32_t seals);
  [[nodiscard]] const char* anonymous_name() const override { return name_.c_str(); }

 private:
  String name_;
};

class RamDirectory final : public RamInode {
 public:
  RamDirectory(std::uint32_t mode, Ref<RamDirectory> parent);
  ~RamDirectory() override;

  Stat stat() override;
  Result<std::size_t> read(std::uint64_t, UserAddress, std::size_t) override {
    return Errno::isdir;
  }
  Result<Ref<Inode>> lookup(std::string_view name) override;
  Result<Ref<Inode>> create(std::string_view name, std::uint32_t mode, std::uint64_t rdev) override;
  Result<Ref<Inode>> create_unnamed(std::uint32_t mode) override;
  Result<Ref<Inode>> symlink(std::string_view name, std::string_view target) override;
  Result<> link(std::string_view name, Inode& inode) override;
  Result<> unlink(std::string_view name) override;
  Result<> rmdir(std::string_view name) override;
  Result<> rename(std::string_view name, Inode& to, std::string_view new_name) override;
  Result<> exchange(std::string_view name, Inode& other, std::string_view other_name) override;
  Result<DirectoryEntry> entry(std::uint64_t& position) override;
  Result<Ref<Inode>> parent() override;

  /// Puts an inode of any file system under a new name, or in place of what is there (a mount).
  Result<> attach(std::string_view name, Ref<Inode> inode);

 private:
  Result<Ref<RamInode>> make_node(std::uint32_t mode, std::uint64_t rdev);
  Result<> insert(std::string_view name, Ref<RamInode> inode);
  [[nodiscard]] bool lies_in(const RamDirectory& directory) const;
  void take_over(Inode& moved, RamDirectory& from);
  Result<> check_rename(Inode& moved, RamDirectory& to, NameEntry* replaced);
  void remove_entry(NameEntry* entry);
  void let_go(Inode& inode);
  [[nodiscard]] bool removed() const { return links() == 0; }

  NameTable names_;
  Ref<RamDirectory> parent_;  // null: the root, its own parent
};

class RamSymlink final : public RamInode {
 public:
  explicit RamSymlink(String target) : RamInode(mode_symlink | 0777), target_(std::move(target)) {}
  Stat stat() override;
  Result<String> target() override { return String::from(target_.view()); }

 private:
  String target_;
};

/// A pipe with a name.
class RamFifo final : public RamInode {
 public:
  explicit RamFifo(std::uint32_t mode) : RamInode(mode_fifo | (mode & 07777)) {}
  Result<Ref<File>> open(std::uint32_t flags) override {
    return pipe_.open(Ref<Inode>(this), flags);
  }
  void closed(std::uint32_t) override { pipe_.closed(); }

 private:
  NamedPipe pipe_;
};

/// A device node: the inode is here, what it does is a driver's (vfs/devices.h).
class RamDevice final : public RamInode {
 public:
  RamDevice(std::uint32_t mode, std::uint64_t rdev) : RamInode(mode), rdev_(rdev) {}
  Stat stat() override;
  Result<Ref<File>> open(std::uint32_t flags) override;

 private:
  std::uint64_t rdev_;
};

/// An inode as what it is in the RAM file system; nullptr where it is something else.
RamInode* ram_inode(Inode& inode);
RamDirectory* ram_directory(Inode& inode);

}  // namespace guest
