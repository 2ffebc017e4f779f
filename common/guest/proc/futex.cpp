// Futexes. Called by the futex call and by exit (CLONE_CHILD_CLEARTID).
#include "guest/proc/futex.h"

#include "guest/mm/address_space.h"
#include "guest/proc/process.h"

namespace guest {

namespace {

// One list for all: guests of this kernel have few futex waiters at a time.
constinit List<FutexWaiter, &FutexWaiter::node> waiters;

}  // namespace

Result<> futex_wait(UserAddress address, std::uint32_t expected, std::uint32_t bits,
                    std::uint64_t deadline_ns) {
  if (TRY(get_user<std::uint32_t>(address)) != expected) return Errno::again;
  Thread& self = current_thread();
  FutexWaiter& waiter = self.futex_waiter;
  waiter.space = self.process.space.get();
  waiter.address = address.value;
  waiter.bits = bits;
  waiter.woken = false;
  waiters.push_back(waiter);
  auto woken = Scheduler::Woken::by_wake;
  while (!waiter.woken && woken == Scheduler::Woken::by_wake)
    woken = scheduler.block(Thread::Interrupt::by_any_signal, deadline_ns);
  waiter.node.unlink();
  if (waiter.woken) return {};
  return woken == Scheduler::Woken::by_timeout ? Errno::timedout : Errno::restart;
}

int futex_wake(AddressSpace& space, UserAddress address, int most, std::uint32_t bits) {
  int count = 0;
  for (FutexWaiter& waiter : waiters) {
    if (count >= most) break;
    if (waiter.space != &space || waiter.address != address.value || !(waiter.bits & bits))
      continue;
    waiter.node.unlink();
    waiter.woken = true;
    scheduler.wake(*waiter.thread);
    ++count;
  }
  return count;
}

}  // namespace guest
