// /proc/PID/fd and fdinfo: see the header. Used by process.cpp; made anew for each look-up.
#include "guest/fs/proc/descriptors.h"

#include "guest/abi/file_flags.h"
#include "guest/base/log.h"
#include "guest/fs/proc/locks.h"
#include "guest/fs/proc/process.h"
#include "guest/proc/permission.h"
#include "guest/vfs/file_table.h"
#include "guest/vfs/fs_context.h"

namespace guest {
namespace {

// Of a process's inode numbers.
constexpr std::uint64_t directory_number = 0x1000, first_link_number = 0x1001, info_number = 0x4000,
                        first_info_number = 0x4001;

/// ENOENT: the process has ended, or nothing is open there. EACCES: it is none of ours.
Result<Ref<File>> open_file(int pid, int fd) {
  Process* process = processes.find(pid);
  if (!process || !process->files) return Errno::noent;
  TRY(may_look_into(*process));
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
  Stat stat() override {
    Stat s = ProcNode::stat();
    tell_owner(s, pid_);
    return s;
  }
  Result<Place> jump() override {
    Ref<File> file = TRY(open_file(pid_, fd_));
    return Place{file->inode_ref(), file->found_in};
  }

 protected:
  /// What readlink shows.
  Result<String> text() override {
    Ref<File> file = TRY(open_file(pid_, fd_));
    Ref<Inode> inode = file->inode_ref();
    const FsContext& fs = *current_process().fs;
    if (inode->is(mode_directory)) return fs.shown_path_of(inode);
    if (file->found_in) return fs.shown_path_of({inode, file->found_in}, "?");
    if (inode->is(mode_character)) return String::from("/dev/console");  // open from the start
    String name;
    if (const char* anonymous = inode->anonymous_name()) {
      if (inode->is(mode_regular)) {
        TRY(name.append("/memfd:"));
        TRY(name.append(anonymous));
        TRY(name.append(" (deleted)"));
      } else {
        TRY(add(name, "anon_inode:%s", anonymous));
      }
      return name;
    }
    const char* kind = inode->is(mode_fifo)     ? "pipe"
                       : inode->is(mode_socket) ? "socket"
                                                : "anon_inode";
    TRY(add(name, "%s:[%lu]", kind, inode->stat().inode));
    return name;
  }

 private:
  const int pid_, fd_;
};

class DescriptorInfo final : public ProcNode {
 public:
  DescriptorInfo(int pid, int fd, Ref<Inode> above)
      : ProcNode(proc_number(pid) + first_info_number + static_cast<std::uint64_t>(fd),
                 mode_regular | 0444, std::move(above)),
        pid_(pid),
        fd_(fd) {}

  Stat stat() override {
    Stat s = ProcNode::stat();
    tell_owner(s, pid_);
    return s;
  }

 protected:
  Result<String> text() override {
    Ref<File> file = TRY(open_file(pid_, fd_));
    const FileTable& table = *processes.find(pid_)->files;
    const bool cloexec = TRY(table.close_on_exec_flag(fd_));
    String lines;
    TRY(add(lines, "pos:\t%lu\nflags:\t0%o\nmnt_id:\t1\nino:\t%lu\n", file->position,
            file->flags | (cloexec ? abi::o_cloexec : 0), file->inode().stat().inode));
    TRY(add_locks_of(lines, *file, table));
    return lines;
  }

 private:
  const int pid_, fd_;
};

class DescriptorDirectory final : public ProcNode {
 public:
  DescriptorDirectory(int pid, bool info, Ref<Inode> above)
      : ProcNode(proc_number(pid) + (info ? info_number : directory_number),
                 mode_directory | (info ? 0555 : 0500), std::move(above)),
        pid_(pid),
        info_(info) {}
  Stat stat() override {
    Stat s = ProcNode::stat();
    tell_owner(s, pid_);
    return s;
  }
  Result<Ref<Inode>> lookup(std::string_view name) override {
    int fd = TRY(proc_number_in(name, FileTable::most));
    TRY(open_file(pid_, fd));
    if (info_) return Ref<Inode>(TRY(make_ref<DescriptorInfo>(pid_, fd, Ref<Inode>(this))));
    return Ref<Inode>(TRY(make_ref<DescriptorLink>(pid_, fd, Ref<Inode>(this))));
  }
  Result<DirectoryEntry> entry(std::uint64_t& position) override;

 private:
  const int pid_;
  const bool info_;
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
    return DirectoryEntry{name_,
                          proc_number(pid_) + (info_ ? first_info_number : first_link_number) + fd,
                          info_ ? mode_regular : mode_symlink};
  }
  return Errno::noent;
}

}  // namespace

Result<Ref<Inode>> make_descriptor_directory(int pid, bool info, Ref<Inode> above) {
  return Ref<Inode>(TRY(make_ref<DescriptorDirectory>(pid, info, std::move(above))));
}

}  // namespace guest
