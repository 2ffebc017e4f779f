// WaitQueue: threads that wait for something to change. The waiter re-checks its condition in a
// loop; waking is only a hint. Kernel mode is not pre-emptible, so between the check and wait()
// nothing can slip by.
#pragma once

#include "guest/base/list.h"
#include "guest/base/result.h"

namespace guest {

struct Waiter {
  ListNode node;
  class Thread* thread = nullptr;
};

class WaitQueue {
 public:
  /// Sleeps until a wake or a signal. EINTR-like: Errno::restart when a signal is pending, which
  /// the caller passes up.
  Result<> wait();
  /// The same, until `deadline_ns` (CLOCK_MONOTONIC) at the latest: ETIMEDOUT. 0: no deadline.
  Result<> wait_until(std::uint64_t deadline_ns);
  void wake_all();

  List<Waiter, &Waiter::node> waiters;  // poll enqueues itself on several queues
};

}  // namespace guest
