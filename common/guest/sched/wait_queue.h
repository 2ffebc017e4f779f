// WaitQueue: threads that wait for something to change. The waiter re-checks its condition in a
// loop; waking is only a hint. Kernel mode is not pre-emptible, so between the check and wait()
// nothing can slip by.
#pragma once

#include <cstdint>

#include "guest/base/list.h"
#include "guest/base/result.h"

namespace guest {

/// A thread's place on a queue. Whoever wakes writes to it while the thread sleeps, and a sleeping
/// thread's kernel stack may have been moved out: nothing that others reach while a thread sleeps
/// lies on its stack. This holds for whatever waits, also elsewhere (futexes, timers): a plain wait
/// uses the place in Thread, poll has its own on the heap. (The CPU itself may still idle on the
/// stack of the thread that went to sleep last: that one stays.)
struct Waiter {
  ListNode node;
  class Task* task = nullptr;
};

class WaitQueue {
 public:
  constexpr WaitQueue() = default;

  /// Sleeps until a wake or a signal. EINTR-like: Errno::restart when a signal is pending, which
  /// the caller passes up.
  Result<> wait();
  /// The same, until `deadline_ns` (CLOCK_MONOTONIC) at the latest: ETIMEDOUT. 0: no deadline.
  Result<> wait_until(std::uint64_t deadline_ns);
  /// Only SIGKILL ends this one early.
  Result<> wait_killable();
  /// Waiters stay on the list until they run and leave it themselves.
  void wake_all();

  List<Waiter, &Waiter::node> waiters;  // poll enqueues itself on several queues
};

/// For poll: the caller has put its Waiters (task = &scheduler.current()) on the queues itself, and
/// takes them off afterwards. Results as wait_until's.
Result<> wait_enqueued(std::uint64_t deadline_ns);

}  // namespace guest
