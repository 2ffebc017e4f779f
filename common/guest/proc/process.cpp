// Processes and the process table. Called by fork, exit, wait, kill and whoever looks a pid up.
#include "guest/proc/process.h"

#include <algorithm>

#include "guest/base/clock.h"
#include "guest/heap/make.h"
#include "guest/mm/address_space.h"
#include "guest/proc/ids.h"
#include "guest/vfs/file_table.h"
#include "guest/vfs/fs_context.h"

namespace guest {

constinit ProcessTable processes;

namespace {

template <void (*expire)(Process&)>
void of_process(Timer& timer) {
  expire(*static_cast<Process*>(timer.owner));
}

}  // namespace

Process::Process(int pid)
    : started_ns(monotonic_ns()),
      pid(pid),
      group(pid),
      session(pid),
      cpu_alarm(of_process<expire_cpu_timers>, this),
      cpu_limit(of_process<reach_cpu_limit>, this),
      interval_timers{{*this, sig_alrm, TimerClock()},
                      {*this, sig_vtalrm, TimerClock(*this, true)},
                      {*this, sig_prof, TimerClock(*this, false)}} {
  for (auto& limit : limits) limit = {abi::unlimited, abi::unlimited};
  limits[abi::limit_stack] = {stack_limit, abi::unlimited};
  limits[abi::limit_core] = {0, abi::unlimited};
  limits[abi::limit_nproc] = {max_threads / 2, max_threads / 2};
  limits[abi::limit_nofile] = {FileTable::limit, FileTable::hard_limit};
  limits[abi::limit_sigpending] = {most_queued_signals, most_queued_signals};
}

Process::~Process() {
  stop_timers();
  if (!leader) ids.give_back_if_unused(pid);  // it never came about
  delete leader;
}

void Process::stop_timers() {
  for (IntervalTimer& timer : interval_timers) timer.stop();
  delete_posix_timers(*this);
  TimerClock(*this, false).cancel(cpu_limit);
  scheduler.cancel_timer(cpu_alarm);
}

void Process::add(Thread& thread) {
  threads.push_back(thread);
  ++living;
  if (!leader) leader = &thread;
  ids.find(thread.tid)->thread = &thread;
  processes.count_thread();
}

void Process::remove(Thread& thread) {
  cpu_of_earlier += scheduler.cpu_time(thread);
  thread.process_node.unlink();
  ids.find(thread.tid)->thread = nullptr;
  ids.give_back_if_unused(thread.tid);
  processes.uncount_thread();
}

void Process::lead_by(Thread& thread) {
  Thread* before = leader;
  before->process_node.unlink();
  cpu_of_earlier += before->cpu_time;
  leader = &thread;
  delete before;
  processes.uncount_thread();
  ids.find(thread.tid)->thread = nullptr;
  ids.give_back_if_unused(thread.tid);
  thread.tid = pid;
  ids.find(pid)->thread = &thread;
}

CpuTime Process::cpu_time() {
  CpuTime time = cpu_of_earlier;
  for (Thread& thread : threads) time += scheduler.cpu_time(thread);
  return time;
}

const CpuShares& Process::cpu_shares() {
  cpu_shares_.divide(cpu_time());
  return cpu_shares_;
}

Result<Ref<Program>> Program::create(const Place& file, std::string_view name) {
  auto program = TRY(make_ref<Program>());
  program->name = TRY(String::from(name, HeapKind::process));
  TRY(file.inode->deny_writes());
  program->file = file;
  return program;
}

Pages Process::peak_memory() const {
  return space ? std::max(peak_of_earlier, space->extents().peak_pages()) : peak_of_earlier;
}

void Process::release_vfork_parent() {
  holds_vfork_parent = false;
  vfork_done.notify();
}

Result<Process*> process_or_self(int pid) {
  Process* process = pid == 0 ? &current_process() : processes.find(pid);
  if (!process) return Errno::srch;
  return process;
}

Result<> ProcessTable::check_room(const Thread& parent, bool of_new_process) {
  const Credentials& user = parent.credentials;
  const std::uint32_t kept = user.euid == 0 ? 0 : kept_for_root;
  if (of_new_process && count_ >= max_processes - kept) return Errno::again;
  if (threads_ >= max_threads - kept) return Errno::again;
  if (user.uid == 0) return {};
  std::uint64_t of_user = 0;
  for (Process& process : all_)
    if (process.leader->credentials.uid == user.uid) of_user += process.living ? process.living : 1;
  if (of_user >= parent.process.limits[abi::limit_nproc].current) return Errno::again;
  return {};
}

Result<Ref<Process>> ProcessTable::create() {
  auto handlers = TRY(make_ref<SignalHandlers>());
  const int pid = TRY(ids.take());
  auto process = make_ref<Process>(pid);
  if (!process.ok()) {
    ids.give_back_if_unused(pid);
    return process.error();
  }
  process.value()->handlers = std::move(handlers);
  return process.release();
}

Result<> ProcessTable::make_init() {
  Ref<Process> process = TRY(create());
  for (auto& action : process->handlers->actions) action.handler = abi::handler_ignore;
  Thread* thread = TRY(Thread::create_idle(*process, process->pid));
  process->add(*thread);
  list(process);
  init_ = process.get();
  return {};
}

void ProcessTable::add(const Ref<Process>& process) {
  list(process);
  if (!first_) first_ = process.get();
}

void ProcessTable::list(const Ref<Process>& process) {
  process->retain();
  all_.push_back(*process);
  ids.find(process->group)->group.push_back(*process);
  ids.find(process->session)->session.push_back(*process);
  ++count_;
}

void ProcessTable::move_to(Process& process, int group, int session) {
  const int old_group = process.group, old_session = process.session;
  process.group_node.unlink();
  process.session_node.unlink();
  process.group = group;
  process.session = session;
  ids.find(group)->group.push_back(process);
  ids.find(session)->session.push_back(process);
  ids.give_back_if_unused(old_group);
  ids.give_back_if_unused(old_session);
}

void ProcessTable::forget(Process& process) {
  Ref<Process> last(&process);  // may end it on the way out of here
  for (ListNode* node :
       {&process.table_node, &process.sibling_node, &process.group_node, &process.session_node})
    node->unlink();
  ids.find(process.pid)->thread = nullptr;
  for (int id : {process.pid, process.group, process.session}) ids.give_back_if_unused(id);
  process.parent = nullptr;
  --count_;
  uncount_thread();
  (void)process.release();  // the table's own reference, `last` still holds one
}

Thread* ProcessTable::find_thread(int tid) {
  Id* id = ids.find(tid);
  return id ? id->thread : nullptr;
}

Process* ProcessTable::find(int id) {
  Thread* thread = find_thread(id);
  return thread ? &thread->process : nullptr;
}

}  // namespace guest
