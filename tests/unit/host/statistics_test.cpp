// Medians and the bootstrap interval: known values, and that nothing is left to chance.
#include "results/statistics.h"

#include <gtest/gtest.h>

#include <vector>

namespace results {
namespace {

TEST(Statistics, MedianOfOddAndEvenNumbersOfValues) {
  EXPECT_DOUBLE_EQ(median(std::vector<double>{3}), 3);
  EXPECT_DOUBLE_EQ(median(std::vector<double>{9, 1, 5}), 5);
  EXPECT_DOUBLE_EQ(median(std::vector<double>{4, 1, 3, 2}), 2.5);
}

TEST(Statistics, MedianIgnoresOneWildValue) {
  EXPECT_DOUBLE_EQ(median(std::vector<double>{1, 1.1, 1e6, 0.9, 1.05}), 1.05);
}

TEST(Statistics, NoValuesIsAnError) {
  EXPECT_THROW(median({}), std::invalid_argument);
  EXPECT_THROW(relative_spread({}), std::invalid_argument);
}

TEST(Statistics, RatioOfConstantsHasNoWidth) {
  const std::vector<double> values(5, 6.0), base(5, 2.0);
  const Ratio ratio = ratio_of_medians(values, base);
  EXPECT_DOUBLE_EQ(ratio.value, 3);
  EXPECT_DOUBLE_EQ(ratio.low, 3);
  EXPECT_DOUBLE_EQ(ratio.high, 3);
}

TEST(Statistics, IntervalHoldsTheRatioAndStaysInsideWhatWasSeen) {
  const std::vector<double> values{9.5, 10, 10.5, 11, 9}, base{0.9, 1, 1.1, 1.05, 0.95};
  const Ratio ratio = ratio_of_medians(values, base);
  EXPECT_DOUBLE_EQ(ratio.value, 10);
  EXPECT_LT(ratio.low, 10);
  EXPECT_GT(ratio.high, 10);
  EXPECT_GE(ratio.low, 9 / 1.1);
  EXPECT_LE(ratio.high, 11 / 0.9);
}

TEST(Statistics, SameSeedSameInterval) {
  const std::vector<double> values{5, 6, 7, 5.5, 6.5, 8, 9}, base{1, 1.2, 0.9, 1.1, 1.05};
  const Ratio first = ratio_of_medians(values, base, 1), again = ratio_of_medians(values, base, 1);
  EXPECT_EQ(first.low, again.low);
  EXPECT_EQ(first.high, again.high);
}

TEST(Statistics, FewLaunchesOfEitherSideHaveNoIntervalAndDecideNothing) {
  const std::vector<double> few(4, 2.0), enough(5, 1.0);
  for (const Ratio& ratio : {ratio_of_medians(few, enough), ratio_of_medians(enough, few)}) {
    EXPECT_FALSE(ratio.has_interval);
    EXPECT_DOUBLE_EQ(ratio.low, ratio.value);
    EXPECT_DOUBLE_EQ(ratio.high, ratio.value);
    EXPECT_EQ(is_at_least(ratio, 0), Verdict::undecided);
    EXPECT_EQ(lies_within(ratio, 0, 10), Verdict::undecided);
  }
  EXPECT_TRUE(ratio_of_medians(enough, enough).has_interval);
}

TEST(Statistics, TheIntervalDecidesAndNotTheValue) {
  const Estimate inside{1.005, true, 0.995, 1.008}, across{1.005, true, 0.99, 1.02},
      beyond{1.05, true, 1.02, 1.08};
  EXPECT_EQ(lies_within(inside, 0.99, 1.01), Verdict::holds);
  EXPECT_EQ(lies_within(across, 0.99, 1.01), Verdict::undecided);
  EXPECT_EQ(lies_within(beyond, 0.99, 1.01), Verdict::fails);
  EXPECT_EQ(is_at_least(across, 1), Verdict::undecided);
  EXPECT_EQ(is_at_least(beyond, 1), Verdict::holds);
  EXPECT_EQ(is_at_most(beyond, 1), Verdict::fails);
  EXPECT_EQ(is_at_most(inside, 1.01), Verdict::holds);
}

TEST(Statistics, OfThreeSetsToo) {
  const std::vector<double> a(5, 9.0), b(5, 4.0), c(5, 3.0);
  const Estimate left =
      estimate({a, b, c}, [](auto medians) { return medians[0] - medians[1] - medians[2]; });
  EXPECT_DOUBLE_EQ(left.value, 2);
  EXPECT_EQ(is_at_least(left, 0), Verdict::holds);
}

TEST(Statistics, MoreLaunchesNarrowTheInterval) {
  std::vector<double> few, many;
  for (int i = 0; i < 5; ++i) few.push_back(10 + i % 5);
  for (int i = 0; i < 100; ++i) many.push_back(10 + i % 5);
  const std::vector<double> base(5, 1.0);
  const Ratio wide = ratio_of_medians(few, base), narrow = ratio_of_medians(many, base);
  EXPECT_LT(narrow.high - narrow.low, wide.high - wide.low);
}

TEST(Statistics, SpreadIsHalfTheMiddleHalfOverTheMedian) {
  EXPECT_DOUBLE_EQ(relative_spread(std::vector<double>{8, 9, 10, 11, 12}), 0.1);
  EXPECT_DOUBLE_EQ(relative_spread(std::vector<double>{4, 4, 4}), 0);
}

}  // namespace
}  // namespace results
