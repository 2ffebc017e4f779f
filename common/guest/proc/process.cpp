// Processes and the process table. Called by fork, exit, wait, kill and whoever looks a pid up.
#include "guest/proc/process.h"

#include "guest/base/clock.h"
#include "guest/heap/make.h"
#include "guest/mm/address_space.h"
#include "guest/vfs/file_table.h"
#include "guest/vfs/fs_context.h"

namespace guest {

constinit ProcessTable processes;

namespace {

void alarm_rings(Timer& timer) {
  Process& process = *static_cast<Process*>(timer.owner);
  send_signal(process, sig_alrm);
  if (!process.alarm_interval_ns) return;
  const auto next = next_expiry(timer.deadline, process.alarm_interval_ns, monotonic_ns());
  scheduler.set_timer(process.alarm, next.deadline);
}

}  // namespace

Process::Process(int pid)
    : started_ns(monotonic_ns()), pid(pid), group(pid), session(pid), alarm(alarm_rings, this) {
  for (auto& limit : limits) limit = {abi::unlimited, abi::unlimited};
  limits[abi::limit_stack] = {stack_limit, abi::unlimited};
  limits[abi::limit_core] = {0, abi::unlimited};
  limits[abi::limit_nproc] = {max_processes, max_processes};
  limits[abi::limit_nofile] = {FileTable::limit, FileTable::limit};
}

Process::~Process() {
  scheduler.cancel_timer(alarm);
}

void Process::release_vfork_parent() {
  holds_vfork_parent = false;
  vfork_done.wake_all();
}

Result<Process*> process_or_self(int pid) {
  Process* process = pid == 0 ? &current_process() : processes.find(pid);
  if (!process) return Errno::srch;
  return process;
}

Result<Ref<Process>> ProcessTable::create() {
  if (count_ >= max_processes) return Errno::again;
  return make_ref<Process>(next_free_pid());
}

void ProcessTable::add(const Ref<Process>& process) {
  process->retain();
  all_.push_back(*process);
  if (!first_) first_ = process.get();
  last_pid_ = process->pid;
  ++count_;
}

void ProcessTable::forget(Process& process) {
  Ref<Process> last(&process);  // may end it on the way out of here
  process.table_node.unlink();
  process.sibling_node.unlink();
  process.parent = nullptr;
  --count_;
  (void)process.release();  // the table's own reference, `last` still holds one
}

Process* ProcessTable::find(int pid) {
  for (Process& process : all_)
    if (process.pid == pid) return &process;
  return nullptr;
}

// A group's or session's number must not become another process's pid while somebody is in it.
int ProcessTable::next_free_pid() {
  int pid = last_pid_;
  for (;;) {
    pid = pid + 1 < pid_limit ? pid + 1 : 2;
    bool taken = false;
    for (Process& process : all_)
      taken |= process.pid == pid || process.group == pid || process.session == pid;
    if (!taken) return pid;
  }
}

}  // namespace guest
