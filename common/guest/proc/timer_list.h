// TimerList: what must happen at a given moment, sorted by deadline. The scheduler owns the one
// list; a sleeping thread and a process's alarm each embed a Timer. Lists are short (one timer a
// sleeping thread), so a sorted insertion beats anything cleverer.
#pragma once

#include <cstdint>

#include "guest/base/list.h"

namespace guest {

struct Timer {
  using Expire = void (*)(Timer&);
  constexpr Timer(Expire expire, void* owner) : expire(expire), owner(owner) {}

  ListNode node;
  std::uint64_t deadline = 0;  // CLOCK_MONOTONIC ns
  Expire expire;
  void* owner;  // of the expiry function
  [[nodiscard]] bool armed() const { return node.linked(); }
};

class TimerList {
 public:
  /// Arms or re-arms. Equal deadlines expire in the order they were set.
  void set(Timer& timer, std::uint64_t deadline) {
    timer.node.unlink();
    timer.deadline = deadline;
    for (Timer& later : timers_) {
      if (later.deadline <= deadline) continue;
      insert_before(timer.node, later.node);
      return;
    }
    timers_.push_back(timer);
  }

  static void cancel(Timer& timer) { timer.node.unlink(); }

  /// 0 when no timer is armed.
  std::uint64_t next_deadline() {
    Timer* first = timers_.front();
    return first ? first->deadline : 0;
  }

  /// Expires all that is due. An expiry function may set and cancel timers, its own included.
  void run(std::uint64_t now) {
    for (Timer* first = timers_.front(); first && first->deadline <= now; first = timers_.front()) {
      first->node.unlink();
      first->expire(*first);
    }
  }

 private:
  static void insert_before(ListNode& node, ListNode& successor) {
    node.previous = successor.previous;
    node.next = &successor;
    successor.previous->next = &node;
    successor.previous = &node;
  }

  List<Timer, &Timer::node> timers_;
};

}  // namespace guest
