// /proc/PID/task: the threads of a process, a directory each.
#include "guest/base/log.h"
#include "guest/fs/proc/process.h"

namespace guest {
namespace {

class TaskDirectory final : public ProcNode {
 public:
  TaskDirectory(int pid, Ref<Inode> above)
      : ProcNode(proc_number(pid) + 0x7000, mode_directory | 0555, std::move(above)), pid_(pid) {}
  Stat stat() override {
    Stat s = ProcNode::stat();
    s.links = 2;
    tell_owner(s, pid_);
    if (Process* process = processes.find(pid_))
      for ([[maybe_unused]] Thread& thread : process->threads) ++s.links;
    return s;
  }
  Result<Ref<Inode>> lookup(std::string_view name) override {
    const int tid = TRY(proc_number_in(name, pid_limit));
    Thread* thread = processes.find_thread(tid);
    if (!thread || &thread->process != processes.find(pid_)) return Errno::noent;
    return make_thread_directory(tid, Ref<Inode>(this));
  }
  Result<DirectoryEntry> entry(std::uint64_t& position) override;

 private:
  const int pid_;
  char name_[12] = {};
};

/// In the order of their numbers, which are their positions, behind the two dots.
Result<DirectoryEntry> TaskDirectory::entry(std::uint64_t& position) {
  if (position < 2) return dot_entry(position);
  Process* process = processes.find(pid_);
  if (!process) return Errno::noent;
  int next = 0;
  for (Thread& thread : process->threads)
    if (static_cast<std::uint64_t>(thread.tid) + 1 >= position && (next == 0 || thread.tid < next))
      next = thread.tid;
  if (next == 0) return Errno::noent;
  position = static_cast<std::uint64_t>(next) + 2;
  format_text(name_, sizeof name_, "%d", next);
  return DirectoryEntry{name_, proc_number(next) + 0x8000, mode_directory | 0555};
}

}  // namespace

Result<Ref<Inode>> make_task_directory(int pid, Ref<Inode> above) {
  return Ref<Inode>(TRY(make_ref<TaskDirectory>(pid, std::move(above))));
}

}  // namespace guest
