// CpuShares: how samples divide CPU time that is known as a whole.
#include "guest/sched/cpu_time.h"

#include <gtest/gtest.h>

namespace {

using guest::CpuShares;
using guest::CpuTime;

TEST(CpuShares, WithoutSamplesAllIsTheUsers) {
  CpuShares shares;
  shares.divide({1000, 0, 0});
  EXPECT_EQ(shares.user, 1000u);
  EXPECT_EQ(shares.system, 0u);
}

TEST(CpuShares, SamplesDivideTheWhole) {
  CpuShares shares;
  shares.divide({1000, 3, 1});
  EXPECT_EQ(shares.user, 750u);
  EXPECT_EQ(shares.system, 250u);
  CpuShares kernel_only;
  kernel_only.divide({1000, 0, 2});
  EXPECT_EQ(kernel_only.system, 1000u);
}

TEST(CpuShares, NeitherShareGoesBackAndTheSumIsKept) {
  CpuShares shares;
  CpuTime time{1000, 0, 0};
  shares.divide(time);
  for (int step = 0; step < 200; ++step) {
    const CpuShares before = shares;
    time.all += 700;
    ++(step % 50 < 25 ? time.samples_in_kernel : time.samples_in_user);
    shares.divide(time);
    EXPECT_GE(shares.user, before.user);
    EXPECT_GE(shares.system, before.system);
    EXPECT_EQ(shares.user + shares.system, time.all);
  }
  EXPECT_GT(shares.system, time.all / 3);
}

TEST(CpuShares, NothingNewChangesNothing) {
  CpuShares shares;
  shares.divide({1000, 1, 1});
  shares.divide({1000, 1, 9});
  EXPECT_EQ(shares.user, 500u);
  EXPECT_EQ(shares.system, 500u);
}

TEST(CpuShares, LongTimesDoNotOverflow) {
  CpuShares shares;
  constexpr std::uint64_t ages = 1ull << 62, samples = 1ull << 31;
  shares.divide({ages, samples, samples});
  EXPECT_NEAR(static_cast<double>(shares.system), static_cast<double>(ages) / 2, 1e6);
  EXPECT_EQ(shares.user + shares.system, ages);
}

}  // namespace
