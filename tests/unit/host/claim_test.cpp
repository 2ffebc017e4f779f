// Claims as data: formulas, files, verdicts, and how they are written down.
#include "results/claim.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "machines/kinds.h"
#include "monitor/tool/error.h"
#include "workloads/harness/claims_report.h"
#include "workloads/harness/workload.h"

namespace results {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::vector<std::string> names = {"a", "b", "long_1"};

double value_of(const std::string& text) {
  return Formula(text, names)(std::vector<double>{12, 3, 2});
}

TEST(Formula, KnowsPrecedenceAndOrder) {
  EXPECT_EQ(value_of("a"), 12);
  EXPECT_EQ(value_of("a / b / long_1"), 2);
  EXPECT_EQ(value_of("a - b - long_1"), 7);
  EXPECT_EQ(value_of("a - b * long_1 + 1.5"), 7.5);
  EXPECT_EQ(value_of("a/(b*long_1)"), 2);
  EXPECT_EQ(value_of(" ( a - ( b ) ) / 3 "), 3);
}

TEST(Formula, WhatCannotBeReadIsNamed) {
  for (const char* wrong : {"", "a +", "c", "(a", "a)", "a b", "+ a", "a // b", "1e", "$"}) {
    EXPECT_THROW(value_of(wrong), monitor::HostError) << wrong;
  }
}

TEST(Formula, KnowsWhatItUses) {
  const Formula formula("a / (a + long_1)", names);
  EXPECT_TRUE(formula.uses(0));
  EXPECT_FALSE(formula.uses(1));
  EXPECT_TRUE(formula.uses(2));
}

/// A folder of claims, and made-up results.
class ClaimTest : public testing::Test {
 protected:
  ClaimTest() {
    char name[] = "/tmp/claim-test-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~ClaimTest() override { std::filesystem::remove_all(folder_); }

  std::string refusal(const std::string& text) {
    std::ofstream(folder_ + "/x.json") << text;
    try {
      read_claim(folder_ + "/x.json");
    } catch (const monitor::HostError& error) {
      return error.what();
    }
    return "accepted";
  }
  void write(const std::string& id, const std::string& needs, const std::string& value,
             const std::string& holds) {
    std::ofstream(folder_ + "/" + id + ".json")
        << R"({"id": ")" << id << R"(", "text": "T <|_> )" << id << R"(", "source": "S & S", )"
        << R"("needs": )" << needs << R"(, "value": ")" << value << R"(", "holds": )" << holds
        << "}";
  }
  void measure(const std::string& workload, const std::string& config, double us,
               unsigned launches = 5, std::map<std::string, std::uint64_t> counters = {}) {
    for (unsigned round = 1; round <= launches; ++round) {
      Launch launch;
      launch.workload = workload;
      launch.config = config;
      launch.round = round;
      launch.samples = {us * (1 + 0.001 * round)};
      launch.outcome.counters = counters;
      file_.launches.push_back(launch);
    }
  }
  std::vector<Judgement> judged() {
    claims_ = read_claims(folder_);
    return judge(claims_, file_, summarize(file_));
  }

  std::string folder_;
  std::vector<Claim> claims_;
  File file_;
};

constexpr const char* two_needs =
    R"({"slow": {"workload": "w", "config": "baseline"}, "fast": {"workload": "w", "config": "extended"}})";

TEST_F(ClaimTest, HoldsFailsOrIsUndecidedByItsInterval) {
  write("a", two_needs, "slow / fast", R"({"at_least": 10})");
  write("b", two_needs, "slow / fast", R"({"at_most": 10})");
  write("c", two_needs, "slow - fast", R"({"equals": 91.3, "tolerance": 0.05})");
  measure("w", "baseline", 100);
  measure("w", "extended", 9);
  const auto all = judged();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].verdict, Verdict::holds);
  EXPECT_EQ(all[1].verdict, Verdict::fails);
  EXPECT_EQ(all[2].verdict, Verdict::undecided) << all[2].value.low << " " << all[2].value.high;
  EXPECT_THAT(all[0].medians, testing::SizeIs(2));
}

TEST_F(ClaimTest, IsUndecidedWithFewLaunchesAndUnjudgedWithoutAny) {
  write("a", two_needs, "slow / fast", R"({"at_least": 10})");
  measure("w", "baseline", 100);
  EXPECT_THAT(judged(), IsEmpty());
  measure("w", "extended", 1, 4);
  ASSERT_EQ(judged().size(), 1u);
  EXPECT_EQ(judged()[0].verdict, Verdict::undecided);
}

TEST_F(ClaimTest, AboutEachGuestIsJudgedForEach) {
  write("a", R"({"guest": {"workload": "w", "config": "each guest"},
                 "host": {"workload": "w", "config": "standalone"}})",
        "guest / host", R"({"equals": 1, "tolerance": 0.01})");
  measure("w", "standalone", 10);
  measure("w", "baseline", 10);
  measure("w", "extended:protect=none", 11);
  measure("other", "extended", 11);
  const auto all = judged();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].config, "baseline");
  EXPECT_EQ(all[0].verdict, Verdict::holds);
  EXPECT_EQ(all[1].config, "extended:protect=none");
  EXPECT_EQ(all[1].verdict, Verdict::fails);
}

TEST_F(ClaimTest, MayBeAboutACounter) {
  write("a", R"({"n": {"workload": "w", "config": "baseline", "counter": "stops"}})", "n",
        R"({"equals": 9, "tolerance": 0})");
  measure("w", "baseline", 10);
  EXPECT_THAT(judged(), IsEmpty()) << "no launch has that counter";
  file_ = {};
  measure("w", "baseline", 10, 5, {{"stops", 9}});
  ASSERT_EQ(judged().size(), 1u);
  EXPECT_EQ(judged()[0].verdict, Verdict::holds);
  file_.launches.back().outcome.counters["stops"] = 8;
  file_.launches.front().outcome.counters["stops"] = 8;
  file_.launches[1].outcome.counters["stops"] = 8;
  EXPECT_NE(judged()[0].verdict, Verdict::holds);
}

TEST_F(ClaimTest, AWrongFileIsNamedWithWhatIsWrong) {
  EXPECT_THAT(refusal("{"), HasSubstr("x.json is no claim"));
  const auto claim = [](const std::string& id, const std::string& needs, const std::string& value,
                        const std::string& more) {
    return R"({"id": ")" + id + R"(", "text": "t", "source": "s", "needs": )" + needs +
           R"(, "value": ")" + value + R"(", "holds": {"at_most": 1})" + more + "}";
  };
  EXPECT_EQ(refusal(claim("x", two_needs, "slow / fast", "")), "accepted");
  EXPECT_THAT(refusal(claim("y", two_needs, "slow / fast", "")), HasSubstr("not the file's name"));
  EXPECT_THAT(refusal(claim("x", two_needs, "slow", "")), HasSubstr("does not use 'fast'"));
  EXPECT_THAT(refusal(claim("x", "{}", "1", "")), HasSubstr("names no measurement"));
  EXPECT_THAT(refusal(claim("x", two_needs, "slow / fast", R"(, "hold": 1)")),
              HasSubstr("unknown key 'hold'"));
  EXPECT_THAT(refusal(claim("x", R"({"a": {"workload": "w", "config": "extendde"}})", "a", "")),
              HasSubstr("did you mean extended"));
}

TEST(Claims, OfThisTreeAreAboutWorkloadsThatThereAre) {
  EXPECT_FALSE(claims().empty());
  for (const Claim& claim : claims()) {
    for (const Need& need : claim.needs) EXPECT_NO_THROW(harness::find_workload(need.workload));
  }
}

TEST_F(ClaimTest, IsWrittenInEachLanguage) {
  write("a", two_needs, "slow / fast", R"({"at_least": 10})");
  measure("w", "baseline", 100);
  measure("w", "extended", 9);
  const auto all = judged();
  const auto in = [&](const char* format) {
    return harness::render(all, harness::parse_format(format));
  };
  EXPECT_THAT(in("text"), HasSubstr("a: T <|_> a\n    slow / fast = 11.11 ["));
  EXPECT_THAT(in("markdown"), HasSubstr("| T \\<\\|\\_\\> a | slow / fast = 11.11 "));
  EXPECT_THAT(in("latex"), HasSubstr("T \\textless{}|\\_\\textgreater{} a & slow / fast = 11.11 "));
  EXPECT_THAT(in("latex"), HasSubstr("S \\& S \\\\"));
  EXPECT_THAT(in("html"), HasSubstr("<td>T &lt;|_&gt; a</td><td>slow / fast = 11.11 "));
  for (const char* format : {"text", "markdown", "latex", "html"}) {
    EXPECT_THAT(in(format), HasSubstr("holds")) << format;
    EXPECT_EQ(harness::render({}, harness::parse_format(format)), "");
  }
  EXPECT_THROW(in("pdf"), monitor::UsageError);
}

}  // namespace
}  // namespace results
