// WaitQueue: who is to be told when something changes. A file has one, its event source, and says
// what has happened by poll bits; poll and select listen to several at once.
//
// Being told is only a hint to look again. Kernel mode is not pre-emptible, so between the look and
// the sleep nothing can slip by.
#pragma once

#include <cstdint>

#include "guest/base/list.h"
#include "guest/base/result.h"
#include "guest/sched/listener.h"
#include "guest/sched/task.h"

namespace guest {

class WaitQueue {
 public:
  constexpr WaitQueue() = default;

  void add(Listener& listener) { listeners_.push_back(listener); }
  static void remove(Listener& listener) { listener.node.unlink(); }

  /// Tells all who want to hear of some of these, in the order they came. One who comes meanwhile
  /// is told from the next time on.
  void notify(Events happened = any_event);

  /// The current task sleeps until it is told of some of these; else as Scheduler::block.
  Result<> wait(Events wanted = any_event, std::uint64_t deadline_ns = 0,
                Task::Interrupt interrupt = Task::Interrupt::by_any_signal);

 private:
  using Listeners = List<Listener, &Listener::node>;
  Listeners listeners_;
};

}  // namespace guest
