// The scheduler's parts that decide who runs and when somebody must be woken: the run queue with
// its time slices, and the timer list. Time is a number here.
#include "guest/sched/run_queue.h"

#include <gtest/gtest.h>

#include <vector>

#include "guest/heap/make.h"
#include "guest/proc/process.h"
#include "guest/sched/timer_list.h"
#include "tests/unit/guest/fake_platform.h"

namespace {

using guest::RunQueue;
using guest::Timer;
using guest::TimerList;

struct TimerListTest : testing::Test {
  static void note(Timer& timer) {
    static_cast<TimerListTest*>(timer.owner)->expired.push_back(&timer);
  }
  TimerList list;
  std::vector<Timer*> expired;
  Timer a{note, this}, b{note, this}, c{note, this};
};

TEST_F(TimerListTest, HasNoDeadlineWhenEmpty) {
  EXPECT_EQ(list.next_deadline(), 0u);
}

TEST_F(TimerListTest, ExpiresWhatIsDueInOrderOfDeadlines) {
  list.set(a, 30);
  list.set(b, 10);
  list.set(c, 20);
  EXPECT_EQ(list.next_deadline(), 10u);
  list.run(20);
  EXPECT_EQ(expired, (std::vector<Timer*>{&b, &c}));
  EXPECT_EQ(list.next_deadline(), 30u);
  EXPECT_FALSE(b.armed());
  EXPECT_TRUE(a.armed());
  list.cancel(a);
}

TEST_F(TimerListTest, KeepsTheOrderOfEqualDeadlines) {
  list.set(c, 10);
  list.set(a, 10);
  list.set(b, 10);
  list.run(10);
  EXPECT_EQ(expired, (std::vector<Timer*>{&c, &a, &b}));
}

TEST_F(TimerListTest, MovesATimerThatIsSetAgain) {
  list.set(a, 10);
  list.set(b, 20);
  list.set(a, 30);
  EXPECT_EQ(list.next_deadline(), 20u);
  list.run(100);
  EXPECT_EQ(expired, (std::vector<Timer*>{&b, &a}));
}

TEST_F(TimerListTest, ForgetsACancelledTimer) {
  list.set(a, 10);
  list.cancel(a);
  list.cancel(a);
  list.run(10);
  EXPECT_TRUE(expired.empty());
}

TEST_F(TimerListTest, LetsAnExpiryArmItsTimerAgain) {
  struct Periodic {
    TimerList& list;
    int rings = 0;
    Timer timer{[](Timer& timer) {
                  auto& self = *static_cast<Periodic*>(timer.owner);
                  ++self.rings;
                  self.list.set(timer, timer.deadline + 10);
                },
                this};
  } periodic{list};
  list.set(periodic.timer, 10);
  list.run(35);
  EXPECT_EQ(periodic.rings, 3);
  EXPECT_EQ(list.next_deadline(), 40u);
  list.cancel(periodic.timer);
}

struct RunQueueTest : testing::Test {
  void SetUp() override {
    process = guest::processes.create().release();
    first.reset(guest::Thread::create(*process, 7).release());
    second.reset(guest::Thread::create(*process, 8).release());
  }
  std::uint64_t slice_end() {
    return queue.slice_end([this] { return ++readings, now; });
  }
  guest_test::FakePlatform platform;
  guest::Ref<guest::Process> process;
  std::unique_ptr<guest::Thread> first, second;
  RunQueue queue;
  std::uint64_t now = 1000;
  int readings = 0;
};

TEST_F(RunQueueTest, RunsThreadsInTurn) {
  queue.push(*first);
  queue.push(*second);
  EXPECT_EQ(queue.pop(), first.get());
  queue.push(*first);
  EXPECT_EQ(queue.pop(), second.get());
  EXPECT_EQ(queue.pop(), first.get());
  EXPECT_EQ(queue.pop(), nullptr);
}

TEST_F(RunQueueTest, NeedsNoTicksAndNoClockForALoneThread) {
  EXPECT_EQ(slice_end(), 0u);
  EXPECT_EQ(readings, 0);
  EXPECT_FALSE(queue.slice_over(~0ul));
}

TEST_F(RunQueueTest, StartsASliceWhenSomebodyWaits) {
  queue.push(*second);
  EXPECT_EQ(slice_end(), 1000 + guest::time_slice_ns);
  now += 5;
  EXPECT_EQ(slice_end(), 1000 + guest::time_slice_ns) << "a slice must not be prolonged";
  EXPECT_FALSE(queue.slice_over(999 + guest::time_slice_ns));
  EXPECT_TRUE(queue.slice_over(1000 + guest::time_slice_ns));
  queue.start_slice();
  EXPECT_EQ(slice_end(), 1005 + guest::time_slice_ns);
  queue.pop();
}

TEST_F(RunQueueTest, DropsTheSliceWhenNobodyWaitsAnyMore) {
  queue.push(*second);
  EXPECT_NE(slice_end(), 0u);
  queue.pop();
  EXPECT_EQ(slice_end(), 0u);
}

TEST(Threads, CannotBeMadeWithoutMemory) {
  guest_test::FakePlatform platform;
  auto process = guest::processes.create().release();
  platform.heap_allocations_left = 1;  // the stack, but not the vector area
  auto thread = guest::Thread::create(*process, 7);
  EXPECT_EQ(thread.error(), guest::Errno::nomem);
  platform.heap_allocations_left = -1;
}

}  // namespace
