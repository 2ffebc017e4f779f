// Wait queues: how everything in the kernel blocks. A waiter leaves the list itself, because one
// thread may stand on several lists (poll).
#include "guest/sched/wait_queue.h"

#include "guest/sched/scheduler.h"

namespace guest {

namespace {

Result<> block_on(WaitQueue& queue, Task::Interrupt interrupt, std::uint64_t deadline_ns) {
  Waiter& waiter = scheduler.current().waiter;
  queue.waiters.push_back(waiter);
  auto woken = scheduler.block(interrupt, deadline_ns);
  waiter.node.unlink();
  if (woken == Scheduler::Woken::by_signal) return Errno::restart;
  if (woken == Scheduler::Woken::by_timeout) return Errno::timedout;
  return {};
}

}  // namespace

Result<> WaitQueue::wait() {
  return block_on(*this, Task::Interrupt::by_any_signal, 0);
}

Result<> WaitQueue::wait_until(std::uint64_t deadline_ns) {
  return block_on(*this, Task::Interrupt::by_any_signal, deadline_ns);
}

Result<> WaitQueue::wait_killable() {
  return block_on(*this, Task::Interrupt::by_kill, 0);
}

void WaitQueue::wake_all() {
  for (Waiter& waiter : waiters) scheduler.wake(*waiter.task);
}

Result<> wait_enqueued(std::uint64_t deadline_ns) {
  switch (scheduler.block(Task::Interrupt::by_any_signal, deadline_ns)) {
    case Scheduler::Woken::by_signal:
      return Errno::restart;
    case Scheduler::Woken::by_timeout:
      return Errno::timedout;
    case Scheduler::Woken::by_wake:
      return {};
  }
  return {};
}

}  // namespace guest
