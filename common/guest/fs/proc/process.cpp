// /proc/PID: see the header. The table below is what each process's directory holds. A process may
// be gone at the next call: every one looks it up again (ESRCH).
#include "guest/fs/proc/process.h"

#include "guest/fs/proc/descriptors.h"
#include "guest/proc/permission.h"
#include "guest/vfs/fs_context.h"

namespace guest {
namespace {

Result<String> name_line(Thread& thread) {
  String line = TRY(String::from(thread.name));
  TRY(line.append("\n"));
  return line;
}

Result<String> program_path(Thread& thread) {
  const Process& process = thread.process;
  if (!process.program) return Errno::noent;
  return current_process().fs->shown_path_of(process.program->file, process.program->name.view());
}
Result<Place> program_file(Thread& thread) {
  const Process& process = thread.process;
  return process.program ? Result<Place>(process.program->file) : Errno::noent;
}

Result<Place> working_directory(Thread& thread) {
  const auto& fs = thread.process.fs;
  return fs ? Result<Place>(Place{fs->cwd, {}}) : Errno::noent;
}
Result<Place> root_directory(Thread& thread) {
  const auto& fs = thread.process.fs;
  return fs ? Result<Place>(Place{fs->root, {}}) : Errno::noent;
}

template <const char* text>
Result<String> fixed(Thread&) {
  return String::from(text);
}
constexpr char no_group[] = "0::/\n", no_login[] = "4294967295", nothing[] = "0";

Result<> rename_thread(Thread& thread, std::string_view name) {
  if (&thread.process != &current_process()) return Errno::inval;
  if (!name.empty() && name.back() == '\n') name.remove_suffix(1);
  thread.set_name(name);
  return {};
}

using Text = Result<String> (*)(Thread&);

struct ProcessEntry {
  std::string_view name;
  std::uint32_t mode;
  Text text = nullptr;
  Result<Place> (*jump)(Thread&) = nullptr;
  Text text_in_task = nullptr;                               // where it differs
  MemoryRange (*range)(Thread&) = nullptr;                   // of its memory, instead of a text
  Result<> (*command)(Thread&, std::string_view) = nullptr;  // what writing does
};

constexpr std::uint32_t file = mode_regular | 0444, changeable = mode_regular | 0644,
                        private_file = mode_regular | 0400, link = mode_symlink | 0777;
constexpr ProcessEntry entries[] = {
    {"stat", file, process_stat, nullptr, thread_stat},
    {"statm", file, process_statm},
    {"status", file, process_status},
    {"maps", file, process_maps},
    {"smaps", file, process_smaps},
    {"smaps_rollup", file, process_smaps_rollup},
    {.name = "comm", .mode = changeable, .text = name_line, .command = rename_thread},
    {.name = "cmdline", .mode = file, .range = argument_range},
    {.name = "environ", .mode = private_file, .range = environment_range},
    {"exe", link, program_path, program_file},
    {"cwd", link, nullptr, working_directory},
    {"root", link, nullptr, root_directory},
    {"limits", file, process_limits},
    {"io", private_file, process_io},
    {"oom_score", file, process_oom_score},
    {.name = "oom_score_adj",
     .mode = changeable,
     .text = process_oom_score_adj,
     .command = set_oom_score_adj},
    {"cgroup", file, fixed<no_group>},
    {"loginuid", file, fixed<no_login>},
    {"sessionid", file, fixed<no_login>},
    {"wchan", file, fixed<nothing>},
    {"mounts", file, process_mounts},
    {"mountinfo", file, process_mountinfo},
    {"fd", mode_directory | 0500},
    {"fdinfo", mode_directory | 0555},
    {"task", mode_directory | 0555},  // of processes only
};
constexpr std::uint64_t entry_count = sizeof entries / sizeof entries[0];
constexpr std::uint64_t in_task_offset = 0x8000;  // of inode numbers

/// Whose files these are: a process's, by the number of its leader, or a thread's.
struct Subject {
  int id;
  bool in_task;  // found in task, a thread by itself
  [[nodiscard]] std::uint64_t number() const {
    return proc_number(id) + (in_task ? in_task_offset : 0);
  }
  [[nodiscard]] Result<Thread*> find() const {
    Thread* thread = processes.find_thread(id);
    return thread ? Result<Thread*>(thread) : Errno::srch;
  }
};

class ProcessFile final : public ProcNode {
 public:
  ProcessFile(std::uint64_t index, Subject subject, Ref<Inode> above)
      : ProcNode(subject.number() + index + 1, entries[index].mode, std::move(above)),
        entry_(entries[index]),
        subject_(subject) {}
  Stat stat() override {
    Stat s = ProcNode::stat();
    tell_owner(s, subject_.id);
    return s;
  }
  Result<Place> jump() override {
    if (!entry_.jump) return Errno::inval;
    Thread& thread = *TRY(subject_.find());
    TRY(may_look_into(thread.process));
    return entry_.jump(thread);
  }
  Result<std::size_t> read(std::uint64_t at, UserAddress to, std::size_t bytes) override {
    if (!entry_.range) return ProcNode::read(at, to, bytes);
    Thread& thread = *TRY(subject_.find());
    return read_process_memory(thread, entry_.range(thread), at, to, bytes);
  }
  Result<std::size_t> write(std::uint64_t at, Source from, std::size_t bytes) override;
  Result<> truncate(std::uint64_t) override { return {}; }  // opened by `>`

 protected:
  Result<String> text() override {
    if (entry_.jump) {
      const Place place = TRY(jump());
      if (!entry_.text) return current_process().fs->shown_path_of(place.inode);
    }
    const bool own = subject_.in_task && entry_.text_in_task;
    return (own ? entry_.text_in_task : entry_.text)(*TRY(subject_.find()));
  }

 private:
  const ProcessEntry& entry_;
  const Subject subject_;
};

Result<std::size_t> ProcessFile::write(std::uint64_t, Source from, std::size_t bytes) {
  if (!entry_.command) return Errno::inval;
  char text[32];
  const std::size_t length = TRY(from.move_to(text, bytes < sizeof text ? bytes : sizeof text));
  TRY(entry_.command(*TRY(subject_.find()), {text, length}));
  return bytes;
}

class ProcessDirectory final : public ProcNode {
 public:
  ProcessDirectory(Subject subject, Ref<Inode> above)
      : ProcNode(subject.number(), mode_directory | 0555, std::move(above)), subject_(subject) {}
  Stat stat() override {
    Stat s = ProcNode::stat();
    tell_owner(s, subject_.id);
    return s;
  }
  Result<Ref<Inode>> lookup(std::string_view name) override;
  Result<DirectoryEntry> entry(std::uint64_t& position) override;

 private:
  const Subject subject_;
};

Result<Ref<Inode>> ProcessDirectory::lookup(std::string_view name) {
  TRY(subject_.find());
  if (name == "fd" || name == "fdinfo")
    return make_descriptor_directory(subject_.id, name == "fdinfo", Ref<Inode>(this));
  if (name == "task" && !subject_.in_task)
    return make_task_directory(subject_.id, Ref<Inode>(this));
  for (std::uint64_t i = 0; i < entry_count; ++i)
    if (entries[i].name == name && !(entries[i].mode & mode_directory))
      return Ref<Inode>(TRY(make_ref<ProcessFile>(i, subject_, Ref<Inode>(this))));
  return Errno::noent;
}

Result<DirectoryEntry> ProcessDirectory::entry(std::uint64_t& position) {
  if (position < 2) return dot_entry(position);
  std::uint64_t index = position - 2;
  if (subject_.in_task && index < entry_count && entries[index].name == "task") ++index;
  if (index >= entry_count) return Errno::noent;
  position = index + 3;
  return DirectoryEntry{entries[index].name, number_ + index + 1, entries[index].mode};
}

}  // namespace

void tell_owner(Stat& stat, int id) {
  const Thread* thread = processes.find_thread(id);
  if (!thread) return;
  stat.uid = thread->credentials.euid;
  stat.gid = thread->credentials.egid;
}

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
  const Subject subject{TRY(proc_number_in(name, pid_limit)), false};
  if (!subject.find().ok()) return Errno::noent;
  return Ref<Inode>(TRY(make_ref<ProcessDirectory>(subject, std::move(above))));
}

Result<Ref<Inode>> make_thread_directory(int tid, Ref<Inode> above) {
  return Ref<Inode>(TRY(make_ref<ProcessDirectory>(Subject{tid, true}, std::move(above))));
}

}  // namespace guest
