// TimerList with many timers (run_queue_test.cpp has its rules, with few); and
// next_expiry: what a periodic timer has missed is one step.
#include "guest/sched/timer_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

namespace {

using guest::next_expiry;
using guest::Timer;
using guest::TimerList;

struct Recorder {
  std::vector<int> expired;
};
struct Numbered : Timer {
  Numbered(Recorder& recorder, int number)
      : Timer(
            [](Timer& timer) {
              auto& self = static_cast<Numbered&>(timer);
              static_cast<Recorder*>(self.owner)->expired.push_back(self.number);
            },
            &recorder),
        number(number) {}
  int number;
};

/// Against a sorted list, with many timers set, set again and cancelled.
TEST(TimerList, IsWhatASortedListWouldBe) {
  Recorder recorder;
  std::deque<Numbered> timers;
  for (int i = 0; i < 200; ++i) timers.emplace_back(recorder, i);
  std::vector<std::pair<std::uint64_t, int>> model;
  std::mt19937 random(1);
  TimerList list;
  std::uint64_t now = 0;
  for (int step = 0; step < 50'000; ++step) {
    const int i = static_cast<int>(random() % timers.size());
    auto& timer = timers[static_cast<std::size_t>(i)];
    std::erase_if(model, [&](auto& entry) { return entry.second == i; });
    if (random() % 4) {
      const std::uint64_t deadline = now + 1 + random() % 50;
      list.set(timer, deadline);
      const auto later = [](std::uint64_t at, auto& entry) { return at < entry.first; };
      model.insert(std::upper_bound(model.begin(), model.end(), deadline, later), {deadline, i});
    } else {
      list.cancel(timer);
    }
    ASSERT_EQ(list.next_deadline(), model.empty() ? 0 : model.front().first);
    if (random() % 8) continue;
    now += random() % 10;
    recorder.expired.clear();
    list.run(now);
    std::vector<int> due;
    while (!model.empty() && model.front().first <= now) {
      due.push_back(model.front().second);
      model.erase(model.begin());
    }
    ASSERT_EQ(recorder.expired, due) << step;
  }
}

TEST(TimerList, AnExpiryMaySetItselfAndCancelOthers) {
  struct Pair : Timer {
    Pair(TimerList& list, Timer& other)
        : Timer(
              [](Timer& timer) {
                auto& self = static_cast<Pair&>(timer);
                ++self.times;
                self.list.cancel(self.other);
                self.list.set(self, self.deadline + 10);
              },
              nullptr),
          list(list),
          other(other) {}
    TimerList& list;
    Timer& other;
    int times = 0;
  };
  Recorder recorder;
  Numbered other(recorder, 1);
  TimerList list;
  Pair first(list, other);
  list.set(first, 5);
  list.set(other, 6);
  list.run(9);
  EXPECT_EQ(first.times, 1);
  EXPECT_TRUE(recorder.expired.empty());
  EXPECT_EQ(list.next_deadline(), 15u);
}

TEST(NextExpiry, IsLaterThanNowInOneStep) {
  constexpr std::uint64_t never = ~0ull, year = 31'536'000'000'000'000;
  auto expect = [](std::uint64_t deadline, std::uint64_t interval, std::uint64_t now,
                   std::uint64_t next, std::uint64_t missed) {
    const auto is = next_expiry(deadline, interval, now);
    EXPECT_EQ(is.deadline, next) << deadline << ' ' << interval << ' ' << now;
    EXPECT_EQ(is.missed, missed);
  };
  expect(100, 10, 100, 110, 0);
  expect(100, 10, 109, 110, 0);
  expect(100, 10, 110, 120, 1);
  expect(0, 1, year, year + 1, year);
  expect(1, 1000, year, year + 1, year / 1000 - 1);
  expect(100, 10, 90, 110, 0);  // a clock that is behind
  expect(100, never, 100, never, 0);
  expect(100, never - 50, 200, never, 0);
}

}  // namespace
