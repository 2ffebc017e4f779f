// /proc/PID/fd: see the header. Used by process.cpp; made anew for each look-up.
#include "guest/fs/proc/descriptors.h"

#include "guest/base/log.h"
#include "guest/fs/proc/process.h"
#include "guest/vfs/file_table.h"
#include "guest/vfs/fs_context.h"

namespace guest {
namespace {

constexpr std::uint64_t directory_number = 0x1000, first_link_number = 0x1001;  // of a process's

/// ENOENT: the process has ended, or nothing is open there.
Result<Ref<File>> open_file(int pid, int fd) {
  Process* process = processes.find(pid);
  if (!process || !process->files) return Errno::noent;
  auto file = process->files->get(fd);
  return file.ok() ? std::move(file) : Errno::noent;
}

class DescriptorLink final : public ProcNode {
 public:
  DescriptorLink(int pid, int fd, Ref<Inode> above)
      : ProcNode(proc_number(pid) + first_link_number + static_cast<std::uint64_t>(fd),
                 mode_symlink | 0700, std::move(above)),
        pid_(pid),
        fd_(fd) {}
  Result<Ref<Inode>> jump() override { return TRY(open_file(pid_, fd_))->inode_ref(); }

 protected:
  /// What readlink shows.
  Result<String> text() override {
    Ref<File> file = TRY(open_file(pid_, fd_));
    Ref<Inode> inode = file->inode_ref();
    const FsContext& fs = *current_process().fs;
    if (inode->is(mode_directory)) return fs.path_of(inode);
    if (file->found_in) return fs.path_in(file->found_in, *inode);
    if (inode->is(mode_character)) return String::from("/dev/console");  // open from the start
    String name;
    if (const char* anonymous = inode->anonymous_name()) {
      TRY(add(name, "anon_inode:%s", anonymous));
      return name;
    }
    const char* kind = inode->is(mode_fifo) ? "pipe" : "anon_inode";
    TRY(add(name, "%s:[%lu]", kind, inode->stat().inode));
    return name;
  }

 private:
  const int pid_, fd_;
};

class DescriptorDirectory final : public ProcNode {
 public:
  DescriptorDirectory(int pid, Ref<Inode> above)
      : ProcNode(proc_number(pid) + directory_number, mode_directory | 0500, std::move(above)),
        pid_(pid) {}
  Result<Ref<Inode>> lookup(std::string_view name) override {
    int fd = TRY(proc_number_in(name, FileTable::most));
    TRY(open_file(pid_, fd));
    return Ref<Inode>(TRY(make_ref<DescriptorLink>(pid_, fd, Ref<Inode>(this))));
  }
  Result<DirectoryEntry> entry(std::uint64_t& position) override;

 private:
  const int pid_;
  char name_[12] = {};  // of the entry told last
};

Result<DirectoryEntry> DescriptorDirectory::entry(std::uint64_t& position) {
  if (position < 2) return dot_entry(position);
  Process* process = processes.find(pid_);
  const auto end =
      static_cast<std::uint64_t>(process && process->files ? process->files->end() : 0);
  for (std::uint64_t fd = position - 2; fd < end; ++fd) {
    if (!open_file(pid_, static_cast<int>(fd)).ok()) continue;
    position = fd + 3;
    format_text(name_, sizeof name_, "%lu", fd);
    return DirectoryEntry{name_, proc_number(pid_) + first_link_number + fd, mode_symlink};
  }
  return Errno::noent;
}

}  // namespace

Result<Ref<Inode>> make_descriptor_directory(int pid, Ref<Inode> above) {
  return Ref<Inode>(TRY(make_ref<DescriptorDirectory>(pid, std::move(above))));
}

}  // namespace guest
