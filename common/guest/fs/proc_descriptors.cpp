// /proc/self/fd: see the header. Used by proc_files.cpp; made anew for each look-up.
#include "guest/fs/proc_descriptors.h"

#include "guest/base/log.h"
#include "guest/drivers/clock.h"
#include "guest/fs/file_table.h"
#include "guest/fs/fs_context.h"
#include "guest/proc/process.h"

namespace guest {
namespace {

constexpr std::uint64_t directory_number = 0x1000, first_link_number = 0x1001;

Stat proc_stat(std::uint64_t number, std::uint32_t mode) {
  Stat s{};
  s.device = 3;
  s.inode = number;
  s.mode = mode;
  s.links = (mode & mode_type) == mode_directory ? 2 : 1;
  s.block_size = 1024;
  s.atime_ns = s.mtime_ns = s.ctime_ns = realtime_ns();
  return s;
}

/// "63" to 63. ENOENT: no number, or nothing is open there.
Result<int> open_descriptor(std::string_view name) {
  int fd = 0;
  if (name.empty() || (name.size() > 1 && name[0] == '0')) return Errno::noent;
  for (char c : name) {
    if (c < '0' || c > '9' || fd >= FileTable::limit) return Errno::noent;
    fd = fd * 10 + (c - '0');
  }
  return current_process().files->get(fd).ok() ? Result<int>(fd) : Errno::noent;
}

class DescriptorLink final : public Inode {
 public:
  explicit DescriptorLink(int fd) : fd_(fd) {}
  [[nodiscard]] std::uint32_t mode() const override { return mode_symlink | 0700; }
  Stat stat() override {
    return proc_stat(first_link_number + static_cast<std::uint64_t>(fd_), mode());
  }
  Result<Ref<Inode>> jump() override {
    auto file = current_process().files->get(fd_);
    if (!file.ok()) return Errno::noent;
    return file.value()->inode_ref();
  }
  /// What readlink shows. An open file does not know its name: only directories can be asked.
  Result<String> target() override {
    Ref<Inode> inode = TRY(jump());
    if (inode->is(mode_directory)) return current_process().fs->path_of(inode);
    const char* kind = inode->is(mode_fifo)        ? "pipe"
                       : inode->is(mode_character) ? "device"
                                                   : "file";
    char text[48];
    format_text(text, sizeof text, "%s:[%lu]", kind, inode->stat().inode);
    return String::from(text);
  }

 private:
  int fd_;
};

class DescriptorDirectory final : public Inode {
 public:
  explicit DescriptorDirectory(Ref<Inode> above) : above_(std::move(above)) {}
  [[nodiscard]] std::uint32_t mode() const override { return mode_directory | 0500; }
  Stat stat() override { return proc_stat(directory_number, mode()); }
  Result<Ref<Inode>> lookup(std::string_view name) override {
    return Ref<Inode>(TRY(make_ref<DescriptorLink>(TRY(open_descriptor(name)))));
  }
  Result<DirectoryEntry> entry(std::uint64_t& position) override;
  Result<Ref<Inode>> parent() override { return above_; }
  // Nobody opens or closes files this way.
  Result<Ref<Inode>> create(std::string_view, std::uint32_t, std::uint64_t) override {
    return Errno::noent;
  }
  Result<Ref<Inode>> symlink(std::string_view, std::string_view) override { return Errno::perm; }
  Result<> link(std::string_view, Inode&) override { return Errno::xdev; }
  Result<> unlink(std::string_view) override { return Errno::perm; }
  Result<> rmdir(std::string_view) override { return Errno::perm; }
  Result<> rename(std::string_view, Inode&, std::string_view) override { return Errno::perm; }

 private:
  Ref<Inode> above_;
  char name_[12] = {};  // of the entry told last
};

Result<DirectoryEntry> DescriptorDirectory::entry(std::uint64_t& position) {
  if (position < 2) {
    bool dot = position++ == 0;
    return DirectoryEntry{dot ? "." : "..", dot ? directory_number : above_->stat().inode,
                          mode_directory};
  }
  for (std::uint64_t fd = position - 2; fd < FileTable::limit; ++fd) {
    if (!current_process().files->get(static_cast<int>(fd)).ok()) continue;
    position = fd + 3;
    format_text(name_, sizeof name_, "%lu", fd);
    return DirectoryEntry{name_, first_link_number + fd, mode_symlink};
  }
  return Errno::noent;
}

}  // namespace

Result<Ref<Inode>> make_descriptor_directory(Ref<Inode> above) {
  return Ref<Inode>(TRY(make_ref<DescriptorDirectory>(std::move(above))));
}

}  // namespace guest
