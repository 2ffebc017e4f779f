// fork, vfork, clone: a second process like the current one, or a second thread of it. Called by
// process_calls.cpp in the parent's system call; the child's first steps are Thread::begin.
#include "guest/mm/address_space.h"
#include "guest/platform.h"
#include "guest/proc/ids.h"
#include "guest/proc/lifecycle.h"
#include "guest/vfs/file_table.h"
#include "guest/vfs/fs_context.h"

namespace guest {

namespace {

// What all threads of a process have in common here: more than Linux asks for.
constexpr std::uint64_t thread_flags = clone_vm | clone_fs | clone_files | clone_sighand;

// Not served: namespaces, pidfds, tracing. What is served and changes nothing: CLONE_SYSVSEM,
// CLONE_IO and the like.
constexpr std::uint64_t served_flags =
    clone_vm | clone_fs | clone_files | clone_sighand | clone_vfork | clone_parent | clone_thread |
    clone_sysvsem | clone_settls | clone_parent_settid | clone_child_cleartid | clone_detached |
    clone_untraced | clone_child_settid | clone_io | clone_clear_sighand;

Result<> check(const CloneRequest& request) {
  const std::uint64_t flags = request.flags;
  if (flags & ~served_flags) return Errno::inval;
  if ((flags & clone_sighand) && (!(flags & clone_vm) || (flags & clone_clear_sighand)))
    return Errno::inval;
  if ((flags & clone_thread) && (flags & thread_flags) != thread_flags) return Errno::inval;
  if (request.exit_signal < 0 || request.exit_signal > sig_last) return Errno::inval;
  return processes.check_room(current_thread(), !(flags & clone_thread));
}

Result<> give_resources(Process& child, const Process& parent, std::uint64_t flags) {
  child.files = flags & clone_files ? parent.files : TRY(parent.files->clone());
  child.fs = flags & clone_fs ? parent.fs : TRY(parent.fs->clone());
  if (flags & clone_sighand)
    child.handlers = parent.handlers;
  else
    child.handlers->copy(*parent.handlers);
  if (flags & clone_clear_sighand) reset_signal_handlers(*child.handlers);
  // Last, it costs most: by now nothing else can fail but the thread.
  child.space = flags & clone_vm ? parent.space : TRY(parent.space->fork());
  return {};
}

void inherit(Process& child, Process& parent, const CloneRequest& request) {
  child.group = parent.group;
  child.session = parent.session;
  child.parent = request.flags & clone_parent ? parent.parent : &parent;
  child.exit_signal = request.flags & clone_parent ? parent.exit_signal : request.exit_signal;
  child.program = parent.program;
  child.nice = parent.nice;
  child.scheduling = parent.scheduling;
  child.personality = parent.personality;
  child.oom_score_adj = parent.oom_score_adj;
  child.least_oom_score_adj = parent.least_oom_score_adj;
  for (std::uint32_t i = 0; i < abi::resource_limits; ++i) child.limits[i] = parent.limits[i];
  set_cpu_limit(child);
}

void inherit(Thread& child, Thread& parent, const CloneRequest& request) {
  *child.frame = *parent.frame;
  child.frame->rax = 0;
  if (request.stack) child.frame->rsp = request.stack;
  if (request.flags & clone_settls) child.frame->fs_base = request.tls;
  child.copy_vectors(parent);
  child.blocked_signals = parent.blocked_signals;
  child.last_trap = parent.last_trap;
  child.credentials = parent.credentials;
  // A child that shares the memory but not the stack must not use the parent's alternate one.
  bool other_stack = (request.flags & clone_vm) && !(request.flags & clone_vfork);
  if (!other_stack) child.alternate_stack = parent.alternate_stack;
  if (request.flags & clone_child_settid) child.set_child_tid = request.child_tid;
  if (request.flags & clone_child_cleartid) child.clear_child_tid = request.child_tid;
  for (std::size_t i = 0; i < sizeof child.name; ++i) child.name[i] = parent.name[i];
}

// The parent lends its memory until the child lets go of it (execve or exit). Linux waits here in
// spite of signals, too, but for SIGKILL.
void wait_for_vfork(Process& child) {
  while (child.holds_vfork_parent)
    if (!child.vfork_done.wait(any_event, 0, Thread::Interrupt::by_kill).ok()) break;
}

Result<int> clone_process(const CloneRequest& request) {
  Thread& self = current_thread();
  Process& parent = self.process;
  Ref<Process> child = TRY(processes.create());
  TRY(give_resources(*child, parent, request.flags));
  Thread* thread = TRY(Thread::create(*child, child->pid));
  inherit(*child, parent, request);
  inherit(*thread, self, request);
  if (request.flags & clone_parent_settid)
    (void)put_user(UserAddress{request.parent_tid}, child->pid);  // Linux ignores a bad one, too

  child->add(*thread);
  child->parent->children.push_back(*child);
  processes.add(child);
  ++shared_info().counters.forks;
  child->holds_vfork_parent = request.flags & clone_vfork;
  scheduler.wake(*thread);
  if (request.flags & clone_vfork) wait_for_vfork(*child);
  return child->pid;
}

}  // namespace

Result<Thread*> make_thread(const CloneRequest& request) {
  Thread& self = current_thread();
  const int tid = TRY(ids.take());
  auto made = Thread::create(self.process, tid);
  if (!made.ok()) {
    ids.give_back_if_unused(tid);
    return made.error();
  }
  Thread& thread = *made.value();
  inherit(thread, self, request);
  if (request.flags & clone_parent_settid) (void)put_user(UserAddress{request.parent_tid}, tid);
  self.process.add(thread);
  refresh_attention(thread);  // the process may be about to end
  scheduler.wake(thread);
  return &thread;
}

Result<int> clone_task(const CloneRequest& request) {
  TRY(check(request));
  if (request.flags & clone_thread) return TRY(make_thread(request))->tid;
  return clone_process(request);
}

}  // namespace guest
