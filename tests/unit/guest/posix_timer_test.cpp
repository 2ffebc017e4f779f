// PosixTimer: what becomes of expiries whose signal waits. Time is a number here.
#include "guest/proc/posix_timer.h"

#include <gtest/gtest.h>

#include <climits>
#include <memory>

#include "guest/base/clock.h"
#include "guest/heap/make.h"
#include "guest/proc/process.h"
#include "tests/unit/guest/fake_platform.h"

namespace {

using namespace guest;

struct PosixTimerTest : testing::Test {
  PosixTimerTest() {
    process = processes.create().release();
    thread = Thread::create(*process, process->pid).release();
    thread->blocked_signals = ~0ul;
    process->add(*thread);
    processes.add(process);
  }
  ~PosixTimerTest() override {
    delete_posix_timers(*process);
    thread->left();
    processes.forget(*process);
  }

  PosixTimer& make(int signal) {
    PosixTimer& timer = *create_posix_timer(*process).release();
    timer.signal = signal;
    return timer;
  }
  /// As the scheduler has it expire.
  static void expire(PosixTimer& timer, std::uint64_t ago) {
    timer.timer.deadline = monotonic_ns() - ago;
    timer.expired();
  }
  guest::abi::SigInfo take() { return take_signal(*thread, ~0ul); }

  guest_test::FakePlatform platform;
  Ref<Process> process;
  Thread* thread = nullptr;
};

TEST_F(PosixTimerTest, EachTimerHasItsOwnEntryInTheQueue) {
  for (int signal : {int{sig_usr1}, sig_first_realtime + 2}) {
    PosixTimer &a = make(signal), &b = make(signal);
    expire(a, 0);
    expire(b, 0);
    expire(b, 0);
    auto first = take(), second = take();
    EXPECT_EQ(first.timer.id, a.id);
    EXPECT_EQ(first.timer.overruns, 0);
    EXPECT_EQ(second.code, guest::abi::si_timer);
    EXPECT_EQ(second.timer.id, b.id);
    EXPECT_EQ(second.timer.overruns, 1);
    EXPECT_EQ(process->pending.set(), 0u);
  }
}

TEST_F(PosixTimerTest, TheSameSignalOfSomebodyElseIsNotAnOverrun) {
  PosixTimer& timer = make(sig_usr1);
  guest::abi::SigInfo info{};
  info.number = sig_usr1;
  ASSERT_TRUE(send_signal(*process, info).ok());
  expire(timer, 0);
  EXPECT_EQ(take().code, guest::abi::si_user);
  EXPECT_EQ(take().timer.overruns, 0);
}

TEST_F(PosixTimerTest, WhatOnlyLooksLikeItsSignalIsNone) {
  PosixTimer& timer = make(sig_usr1);
  guest::abi::SigInfo forged{};
  forged.number = sig_usr1;
  forged.code = guest::abi::si_timer;
  forged.timer = {timer.id, 77, 5, {}};
  ASSERT_TRUE(send_signal(*process, forged).ok());
  expire(timer, 0);
  auto first = take();
  EXPECT_EQ(first.timer.overruns, 77);
  EXPECT_EQ(timer.overruns_told, 0);
  auto second = take();
  EXPECT_EQ(second.timer.id, timer.id);
  EXPECT_EQ(second.timer.overruns, 0);
  EXPECT_EQ(process->pending.set(), 0u);
}

TEST_F(PosixTimerTest, OverrunsStopAtTheLargestInt) {
  PosixTimer& timer = make(sig_usr1);
  timer.interval_ns = 1;
  platform.shared_info.time.monotonic_ns = 1ul << 40;
  expire(timer, 1ul << 33);
  EXPECT_EQ(timer.overruns, INT_MAX);
  expire(timer, 5);
  EXPECT_EQ(take().timer.overruns, INT_MAX);
}

}  // namespace
