// The end of a process: everything it holds goes, its children go to the first process, its parent
// hears of it. Called by exit and exit_group, and by signal delivery. What remains is a zombie,
// until wait_for_child (wait.cpp).
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

// CLONE_CHILD_CLEARTID: those who share the memory learn that this thread is gone. Without others
// (the space is held by this process, and by being the current one) the write would only cost.
void clear_child_tid(Thread& thread) {
  constexpr std::uint32_t own_references = 2;
  if (!thread.clear_child_tid || thread.process.space->references() <= own_references) return;
  UserAddress address{thread.clear_child_tid};
  if (put_user(address, 0).ok()) futex_wake(*thread.process.space, address, 1);
}

bool wants_no_zombies(const Process& parent) {
  const auto& action = parent.actions[sig_chld - 1];
  return action.handler == abi::handler_ignore || (action.flags & abi::sa_nocldwait);
}

void hand_over_children(Process& process) {
  Process& heir = processes.first();
  while (Process* child = process.children.pop_front()) {
    child->parent = &heir;
    child->exit_signal = sig_chld;
    heir.children.push_back(*child);
    if (child->death_signal) send_signal(*child, child->death_signal);
    if (child->group != process.group && child->session == process.session)
      wake_orphaned_group(child->group, child->session);
    if (child->state == Process::State::zombie) heir.child_changed.wake_all();
  }
}

void tell_parent(Process& process) {
  Process& parent = *process.parent;
  bool by_itself = process.exit_signal == sig_chld && wants_no_zombies(parent);
  parent.child_changed.wake_all();
  if (process.exit_signal != 0) {
    auto info = child_signal(process.pid, process.credentials.uid, process.wait_status);
    info.number = process.exit_signal;
    (void)send_signal(parent, info);
  }
  // Its thread still holds a reference, so it lasts until the switch away from here.
  if (by_itself) processes.forget(process);
}

}  // namespace

void exit_process(int wait_status) {
  Thread& self = current_thread();
  Process& process = self.process;
  ++shared_info().counters.exits;
  for (ProcessObserver* observer : process_observers())
    observer->process_ends(process, wait_status);
  if (&process == &processes.first()) {
    for (ProcessObserver* observer : process_observers()) observer->machine_ends();
    hypercalls().shutdown(wait_status);
  }

  clear_child_tid(self);
  scheduler.cancel_timer(process.alarm);
  delete_posix_timers(process);
  process.files.reset();
  process.fs.reset();
  process.space.reset();  // stays mapped until another one takes its place
  hand_over_children(process);
  process.state = Process::State::zombie;
  process.wait_status = wait_status;
  process.cpu.own = scheduler.cpu_ticks(self);
  process.thread = nullptr;
  process.pending.discard(~0ul);
  process.release_vfork_parent();
  if (process.parent->group != process.group && process.parent->session == process.session)
    wake_orphaned_group(process.group, process.session);
  tell_parent(process);
  scheduler.exit_current();
}

void stop_process(int signal) {
  Process& process = current_process();
  process.state = Process::State::stopped;
  process.wait_status = (signal << 8) | 0x7f;
  process.stop_unreported = true;
  tell_parent_of_change(process, process.wait_status);
  while (process.state == Process::State::stopped) scheduler.block(Thread::Interrupt::never);
}

}  // namespace guest
