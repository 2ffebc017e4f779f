// TimerList: what must happen at a given moment, by deadline. The scheduler owns the one list; a
// sleeping thread, a process's alarm and each timer of timer_create embed a Timer. Programs choose
// how many there are and how often they are due, so it is a pairing heap: to set one takes the same
// time however many there are, to take one out a logarithm of it (amortised).
#pragma once

#include <cstdint>
#include <utility>

namespace guest {

struct Timer {
  using Expire = void (*)(Timer&);
  constexpr Timer(Expire expire, void* owner) : expire(expire), owner(owner) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  std::uint64_t deadline = 0;  // CLOCK_MONOTONIC ns
  Expire expire;
  void* owner;  // of the expiry function
  [[nodiscard]] bool armed() const { return armed_; }
  /// 0: it is not armed. One that is due is not over yet: never 0 for it.
  [[nodiscard]] std::uint64_t left_ns(std::uint64_t now) const {
    if (!armed_) return 0;
    return deadline > now ? deadline - now : 1;
  }

 private:
  friend class TimerList;
  std::uint64_t turn_ = 0;  // among equal deadlines
  bool armed_ = false;
  Timer* child_ = nullptr;    // the first one
  Timer* sibling_ = nullptr;  // the next one
  Timer* before_ = nullptr;   // sibling, or the parent of a first child
};

/// When a timer that was due at `deadline` is due again, later than `now`: expiries in between were
/// missed, and are not served one by one.
struct NextExpiry {
  std::uint64_t deadline, missed;
};
constexpr NextExpiry next_expiry(std::uint64_t deadline, std::uint64_t interval,
                                 std::uint64_t now) {
  if (now < deadline) now = deadline;  // another CPU's clock
  const std::uint64_t missed = (now - deadline) / interval;
  const std::uint64_t next = deadline + (missed + 1) * interval;
  return {next > now ? next : ~0ull, missed};  // or later than anybody can tell
}

class TimerList {
 public:
  /// Arms or re-arms. Equal deadlines expire in the order they were set.
  void set(Timer& timer, std::uint64_t deadline) {
    cancel(timer);
    timer.deadline = deadline;
    timer.turn_ = ++turn_;
    timer.armed_ = true;
    first_ = merge(first_, &timer);
  }

  void cancel(Timer& timer) {
    if (!timer.armed_) return;
    Timer* below = merge_all(std::exchange(timer.child_, nullptr));
    if (&timer == first_) {
      first_ = below;
    } else {
      Timer& before = *timer.before_;
      (before.child_ == &timer ? before.child_ : before.sibling_) = timer.sibling_;
      if (timer.sibling_) timer.sibling_->before_ = &before;
      first_ = merge(first_, below);
    }
    timer.sibling_ = timer.before_ = nullptr;
    timer.armed_ = false;
  }

  /// None of them is armed any more.
  void clear() {
    while (first_) cancel(*first_);
  }

  /// 0 when no timer is armed.
  [[nodiscard]] std::uint64_t next_deadline() const { return first_ ? first_->deadline : 0; }

  /// Expires all that is due, each once. An expiry function may set and cancel timers; its own it
  /// sets for later than now.
  void run(std::uint64_t now) {
    while (first_ && first_->deadline <= now) {
      Timer& due = *first_;
      cancel(due);
      due.expire(due);
    }
  }

 private:
  static bool earlier(const Timer& a, const Timer& b) {
    return a.deadline != b.deadline ? a.deadline < b.deadline : a.turn_ < b.turn_;
  }

  /// One heap of two without siblings.
  static Timer* merge(Timer* a, Timer* b) {
    if (!a || !b) return a ? a : b;
    if (earlier(*b, *a)) std::swap(a, b);
    b->before_ = a;
    b->sibling_ = a->child_;
    if (b->sibling_) b->sibling_->before_ = b;
    a->child_ = b;
    return a;
  }

  /// Of siblings: in pairs, and those from the last to the first, which is what keeps it balanced.
  static Timer* merge_all(Timer* siblings) {
    Timer* pairs = nullptr;
    while (Timer* a = siblings) {
      Timer* b = std::exchange(a->sibling_, nullptr);
      siblings = b ? std::exchange(b->sibling_, nullptr) : nullptr;
      a = merge(a, b);
      a->sibling_ = std::exchange(pairs, a);
    }
    Timer* all = nullptr;
    while (Timer* pair = pairs) {
      pairs = std::exchange(pair->sibling_, nullptr);
      all = merge(all, pair);
    }
    if (all) all->before_ = nullptr;
    return all;
  }

  Timer* first_ = nullptr;
  std::uint64_t turn_ = 0;
};

}  // namespace guest
