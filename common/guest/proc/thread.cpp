// Threads: making them, and what the scheduler asks of them. Called by fork, by the first process's
// start, and by the scheduler.
#include "guest/proc/thread.h"

#include <new>
#include <utility>

#include "guest/mm/address_space.h"
#include "guest/mm/user.h"
#include "guest/proc/process.h"

namespace guest {

Thread::Thread(Process& process, int tid)
    : process(process), tid(tid), futex_waiter(*this), owner_(&process) {
  alternate_stack.flags = abi::ss_disable;
}

Thread::~Thread() {
  process_node.unlink();
}

Result<Thread*> Thread::create_idle(Process& process, int tid) {
  auto* thread = new (std::nothrow) Thread(process, tid);
  if (!thread) return Errno::nomem;
  thread->set_name("init");
  return thread;
}

Result<Thread*> Thread::create(Process& process, int tid) {
  auto* thread = new (std::nothrow) Thread(process, tid);
  if (!thread) return Errno::nomem;
  auto taken = thread->take_stack();
  if (taken.ok()) return thread;
  delete thread;
  return taken.error();
}

// The object of a leader is its process's.
void Thread::left() {
  free_memory();
  Ref<Process> owner = std::move(owner_);
  if (process.leader != this) delete this;
}

bool Thread::must_end() const {
  return process.ending || (process.survivor && process.survivor != this);
}

// Wherever this thread goes on, it may touch its own user memory.
void Thread::switched_in() {
  if (process.cpu_timers.any || cpu_timers.any) watch_cpu_timers(*this);
  AddressSpace* space = process.space.get();
  if (!space) return;
  space->bind(process.limits);
  space->activate();
  if (!space->intact()) force_signal(signal_from_kernel(sig_kill));
}

// CLONE_CHILD_SETTID: only now is the child's memory at hand. Linux ignores a bad address, too.
void Thread::begin() {
  if (set_child_tid) (void)put_user(UserAddress{set_child_tid}, tid);
  leave_kernel();
}

void Thread::set_name(std::string_view wanted) {
  std::size_t i = 0;
  for (; i < wanted.size() && i < sizeof name - 1; ++i) name[i] = wanted[i];
  name[i] = '\0';
}

}  // namespace guest
