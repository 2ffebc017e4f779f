// The end of threads and processes. A thread's end is its own; with the last one everything goes
// that the process holds, its children go to init, its parent hears of it. Called by
// exit and exit_group, by signal delivery and by execve. What remains is a zombie, until
// wait_for_child (wait.cpp).
#include "guest/mm/address_space.h"
#include "guest/mm/user.h"
#include "guest/platform.h"
#include "guest/proc/futex.h"
#include "guest/proc/job_control.h"
#include "guest/proc/lifecycle.h"
#include "guest/proc/observers.h"
#include "guest/vfs/file_table.h"
#include "guest/vfs/fs_context.h"

namespace guest {

namespace {

void tell_parent(Process& process) {
  Process& parent = *process.parent;
  const bool usual = process.exit_signal == sig_chld;
  const auto& action = parent.handlers->of(sig_chld);
  const bool ignored = usual && action.handler == abi::handler_ignore;
  const bool by_itself = ignored || (usual && (action.flags & abi::sa_nocldwait));
  parent.child_changed.notify();
  if (process.exit_signal != 0 && !ignored) {
    auto info = child_signal(process.pid, process.leader->credentials.uid, process.wait_status);
    info.number = process.exit_signal;
    tell_times(info, process);
    (void)send_signal(parent, info);
  }
  // Ended itself, its thread still holds a reference, which lasts until the switch away from here.
  if (by_itself) processes.forget(process);
}

void hand_over_children(Process& process) {
  Process& heir = processes.init();
  while (Process* child = process.children.pop_front()) {
    child->parent = &heir;
    child->exit_signal = sig_chld;
    heir.children.push_back(*child);
    if (child->death_signal)
      (void)send_signal(*child, signal_from_process(child->death_signal, abi::si_user));
    if (child->group != process.group && child->session == process.session)
      wake_orphaned_group(child->group, child->session);
    if (child->state == Process::State::zombie) tell_parent(*child);
  }
}

// Its last thread has ended, but still runs.
void end(Process& process) {
  process.stop_timers();
  process.files.reset();
  process.program.reset();
  process.fs.reset();
  process.peak_of_earlier = process.peak_memory();
  process.space.reset();  // stays mapped until another one takes its place
  hand_over_children(process);
  process.state = Process::State::zombie;
  process.ended.notify();
  process.handlers.reset();
  process.pending.discard(~0ul);
  process.release_vfork_parent();
  if (process.parent->group != process.group && process.parent->session == process.session)
    wake_orphaned_group(process.group, process.session);
  tell_parent(process);
}

}  // namespace

void end_thread(int wait_status) {
  Thread& self = current_thread();
  Process& process = self.process;
  release_user_words(self);
  if (!process.ending) process.wait_status = wait_status;
  if (process.sole()) {
    ++shared_info().counters.exits;
    for (ProcessObserver* observer : process_observers())
      observer->process_ends(process, process.wait_status);
    if (&process == &processes.first()) {
      for (ProcessObserver* observer : process_observers()) observer->machine_ends();
      hypercalls().shutdown(process.wait_status);
    }
  }
  self.ended = true;
  self.pending.discard(~0ul);
  forget_cpu_timers(self);
  --process.living;
  leave_signals_to_others(self, ~self.blocked_signals);
  if (&self != process.leader) process.remove(self);
  process.thread_ended.notify();
  if (process.living == 0) end(process);
  scheduler.exit_current();
}

void end_process(int wait_status) {
  Thread& self = current_thread();
  Process& process = self.process;
  if (!self.must_end()) {  // else somebody has said how it ends
    process.survivor = nullptr;
    process.ending = true;
    process.wait_status = wait_status;
    hurry_threads(process);
  }
  end_thread(wait_status);
}

void hurry_threads(Process& process) {
  continue_process(process);
  for (Thread& thread : process.threads) {
    if (thread.ended) continue;
    refresh_attention(thread);
    if (thread.may_end(thread.interrupt)) scheduler.wake(thread);
  }
}

Result<> end_other_threads() {
  Thread& self = current_thread();
  Process& process = self.process;
  if (self.must_end()) return Errno::again;
  process.survivor = &self;
  if (!process.sole()) hurry_threads(process);
  while (!process.sole()) {
    if (process.thread_ended.wait(any_event, 0, Task::Interrupt::by_kill).ok()) continue;
    process.survivor = nullptr;
    return Errno::again;
  }
  process.survivor = nullptr;
  if (process.leader != &self) process.lead_by(self);
  return {};
}

// At once, on the one CPU: the others cannot reach user mode any more, so the stop is complete.
void stop_process(Process& process, int signal) {
  process.state = Process::State::stopped;
  process.wait_status = (signal << 8) | 0x7f;
  process.stop_unreported = true;
  process.continue_unreported = false;
  for (Thread& thread : process.threads) {
    if (thread.ended) continue;
    refresh_attention(thread);
    if (thread.may_end(thread.interrupt)) scheduler.wake(thread);
  }
  tell_parent_of_change(process, process.wait_status);
}

void continue_process(Process& process) {
  if (process.state != Process::State::stopped) return;
  process.state = Process::State::alive;
  process.stop_unreported = false;
  process.continued.notify();
}

}  // namespace guest
