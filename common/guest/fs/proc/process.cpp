// /proc/PID: see the header. The table below is what each process's directory holds. A process may
// be gone at the next call: every one looks it up again (ESRCH).
#include "guest/fs/proc/process.h"

#include "guest/fs/proc/descriptors.h"
#include "guest/vfs/fs_context.h"

namespace guest {
namespace {

Result<String> name_line(Process& process) {
  String line = TRY(String::from(process_name(process)));
  TRY(line.append("\n"));
  return line;
}

Result<String> command_line(Process& process) {
  return String::from(process.program && process.thread ? process.program->arguments.view()
                                                        : std::string_view());
}

Result<String> program_path(Process& process) {
  if (!process.program || !process.thread) return Errno::noent;
  return String::from(process.program->path.view());
}

Result<Ref<Inode>> working_directory(Process& process) {
  return process.fs ? Result<Ref<Inode>>(process.fs->cwd) : Errno::noent;
}
Result<Ref<Inode>> root_directory(Process& process) {
  return process.fs ? Result<Ref<Inode>>(process.fs->root) : Errno::noent;
}

struct ProcessEntry {
  std::string_view name;
  std::uint32_t mode;
  Result<String> (*text)(Process&) = nullptr;
  Result<Ref<Inode>> (*jump)(Process&) = nullptr;
};

constexpr ProcessEntry entries[] = {
    {"stat", mode_regular | 0444, process_stat},
    {"statm", mode_regular | 0444, process_statm},
    {"status", mode_regular | 0444, process_status},
    {"maps", mode_regular | 0444, process_maps},
    {"comm", mode_regular | 0444, name_line},
    {"cmdline", mode_regular | 0444, command_line},
    {"exe", mode_symlink | 0777, program_path},
    {"cwd", mode_symlink | 0777, nullptr, working_directory},
    {"root", mode_symlink | 0777, nullptr, root_directory},
    {"mountinfo", mode_regular | 0444, process_mountinfo},
    {"fd", mode_directory | 0500},
    {"mounts", mode_regular | 0444},  // the same for all: /proc's own
};
constexpr std::uint64_t entry_count = sizeof entries / sizeof entries[0];

class ProcessFile final : public ProcNode {
 public:
  ProcessFile(std::uint64_t index, int pid, Ref<Inode> above)
      : ProcNode(proc_number(pid) + index + 1, entries[index].mode, std::move(above)),
        entry_(entries[index]),
        pid_(pid) {}
  Result<Ref<Inode>> jump() override {
    if (!entry_.jump) return Errno::inval;
    return entry_.jump(*TRY(process()));
  }

 protected:
  Result<String> text() override {
    if (entry_.jump) return current_process().fs->path_of(TRY(jump()));
    return entry_.text(*TRY(process()));
  }

 private:
  [[nodiscard]] Result<Process*> process() const {
    Process* found = processes.find(pid_);
    return found ? Result<Process*>(found) : Errno::srch;
  }
  const ProcessEntry& entry_;
  const int pid_;
};

class ProcessDirectory final : public ProcNode {
 public:
  ProcessDirectory(int pid, Ref<Inode> above)
      : ProcNode(proc_number(pid), mode_directory | 0555, std::move(above)), pid_(pid) {}
  Stat stat() override {
    Stat s = ProcNode::stat();
    if (Process* process = processes.find(pid_)) {
      s.uid = process->credentials.euid;
      s.gid = process->credentials.egid;
    }
    return s;
  }
  Result<Ref<Inode>> lookup(std::string_view name) override;
  Result<DirectoryEntry> entry(std::uint64_t& position) override;

 private:
  const int pid_;
};

Result<Ref<Inode>> ProcessDirectory::lookup(std::string_view name) {
  if (!processes.find(pid_)) return Errno::srch;
  if (name == "fd") return make_descriptor_directory(pid_, Ref<Inode>(this));
  if (name == "mounts") return above_->lookup(name);
  for (std::uint64_t i = 0; i < entry_count; ++i)
    if (entries[i].name == name)
      return Ref<Inode>(TRY(make_ref<ProcessFile>(i, pid_, Ref<Inode>(this))));
  return Errno::noent;
}

Result<DirectoryEntry> ProcessDirectory::entry(std::uint64_t& position) {
  if (position < 2) return dot_entry(position);
  std::uint64_t index = position - 2;
  if (index >= entry_count) return Errno::noent;
  ++position;
  return DirectoryEntry{entries[index].name, number_ + index + 1, entries[index].mode};
}

}  // namespace

Result<int> proc_number_in(std::string_view name, int limit) {
  int number = 0;
  if (name.empty() || (name.size() > 1 && name[0] == '0')) return Errno::noent;
  for (char c : name) {
    if (c < '0' || c > '9') return Errno::noent;
    number = number * 10 + (c - '0');
    if (number >= limit) return Errno::noent;
  }
  return number;
}

Result<Ref<Inode>> make_process_directory(std::string_view name, Ref<Inode> above) {
  int pid = TRY(proc_number_in(name, pid_limit));
  if (!processes.find(pid)) return Errno::noent;
  return Ref<Inode>(TRY(make_ref<ProcessDirectory>(pid, std::move(above))));
}

}  // namespace guest
