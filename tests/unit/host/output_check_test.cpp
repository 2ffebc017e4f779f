// The ways in which a workload's output is known to be right.
#include "workloads/harness/output_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace harness {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(OutputCheck, ExactTextAndWhereItDiffers) {
  const OutputCheck check{.exact = "a\nb\n"};
  EXPECT_EQ(check_output(check, "a\nb\n", std::nullopt), "");
  EXPECT_THAT(check_output(check, "a\nc\n", std::nullopt), HasSubstr("from line 2 on"));
  EXPECT_NE(check_output(check, "a\nb\nmore\n", std::nullopt), "");
}

TEST(OutputCheck, WithoutAnotherWayStandaloneIsTheJudge) {
  const OutputCheck check;
  EXPECT_TRUE(check.by_standalone());
  EXPECT_EQ(check_output(check, "x\n", "x\n"), "");
  EXPECT_NE(check_output(check, "x\n", "y\n"), "");
  EXPECT_THAT(check_output(check, "x\n", std::nullopt), HasSubstr("no correct standalone launch"));
}

TEST(OutputCheck, IgnoredLinesCountOnNeitherSide) {
  const OutputCheck check{.ignore = {"^took [0-9.]+ s$", "^pid"}};
  EXPECT_EQ(check_output(check, "a\ntook 1.5 s\npid 3\n", "pid 77\na\n"), "");
  EXPECT_NE(check_output(check, "a\ntook long\n", "a\n"), "");
}

TEST(OutputCheck, AHashIsTheOneThatResultsHave) {
  const OutputCheck check{.hash = hash_of("right\n")};
  EXPECT_EQ(check_output(check, "right\n", std::nullopt), "");
  EXPECT_THAT(check_output(check, "wrong\n", std::nullopt), HasSubstr(hash_of("wrong\n")));
}

TEST(OutputCheck, AProgramReadsTheOutputAndSaysWhatIsWrong) {
  const OutputCheck check{
      .program = {"sed", "-e", "/^[0-9]*$/!{s/^/not a number: /;q1}", "-e", "d"}};
  EXPECT_EQ(check_output(check, "1\n22\n", std::nullopt), "");
  EXPECT_THAT(check_output(check, "1\nx\n", std::nullopt),
              AllOf(HasSubstr("says sed (1)"), HasSubstr("not a number: x")));
  EXPECT_THAT(check_output({.program = {"/no/such/program"}}, "1\n", std::nullopt),
              HasSubstr("/no/such/program (127)"));
}

}  // namespace
}  // namespace harness
