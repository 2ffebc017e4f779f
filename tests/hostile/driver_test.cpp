// Runs each hostile program natively for comparison, and in configurations that promise to
// contain it: plain, nested (in a child, in a signal handler), and watched from outside. What it
// prints must be the same everywhere, and no host call but the allowed ones may have been made.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/support/cases.h"
#include "tests/support/observed.h"
#include "tests/support/tool.h"

namespace {

using support::ToolRun;

bool runs_natively(const std::string& topic) {
  return topic != "mappings";  // it is about addresses that only a guest lacks
}

std::vector<std::string> options(const std::string& topic, int stride, bool nested) {
  return {"--memory",  "64M",
          "--timeout", "140",
          "--add",     support::program(topic) + ":/test/" + topic,
          "--env",     fmt::format("HOSTILE_STRIDE={}", stride),
          "--env",     fmt::format("HOSTILE_NESTED={:d}", nested)};
}

const ToolRun& native(const std::string& topic) {
  static std::map<std::string, ToolRun> known;
  auto found = known.find(topic);
  if (found == known.end()) {
    support::Options fixed;
    fixed.fixed_addresses = true;  // a random stack might lie where the window would be
    found = known
                .emplace(topic, support::exec("standalone", {"/test/" + topic},
                                              options(topic, 1, false), fixed))
                .first;
  }
  return found->second;
}

/// A trap costs some 85 us in the baseline, five in the extended VMM, and far more when watched.
/// Every address is tried where one gate differs from another; elsewhere a sample. Strides have no
/// divisor in common with what the programs count in.
int stride_at(const std::string& place, bool watched) {
  int stride = 7;
  if (place == "extended" || place == "extended:protect=mmap") stride = 1;
  if (place.starts_with("baseline")) stride = place == "baseline" ? 13 : 29;
  return stride * (watched ? 17 : 1);
}

class Hostile : public testing::TestWithParam<support::Case> {
 protected:
  void check(const ToolRun& guest, const std::string& topic) {
    EXPECT_EQ(guest.status, 0) << guest.describe();
    if (runs_natively(topic)) {
      ASSERT_EQ(native(topic).status, 0) << "natively: " << native(topic).describe();
      EXPECT_EQ(guest.out, native(topic).out);
    }
  }
};

TEST_P(Hostile, HarmsOnlyItself) {
  const auto& [topic, place] = GetParam();
  const auto guest = support::exec_reported(place, {"/test/" + topic},
                                            options(topic, stride_at(place, false), false));
  check(guest.run, topic);
  EXPECT_EQ(guest.outcome.failure, "");
}

TEST_P(Hostile, HarmsOnlyItselfWhenNested) {
  const auto& [topic, place] = GetParam();
  const auto guest = support::exec_reported(place, {"/test/" + topic},
                                            options(topic, 5 * stride_at(place, false), true));
  check(guest.run, topic);
  EXPECT_EQ(guest.outcome.failure, "");
}

/// The gate that keeps account of time has instructions that the other one lacks, and believes what
/// user code may have forged.
class HostileToAccounts : public Hostile {};

TEST_P(HostileToAccounts, HarmsOnlyItself) {
  const auto& [topic, place] = GetParam();
  auto words = options(topic, 3 * stride_at(place, false), false);
  words.emplace_back("--account");
  const auto guest = support::exec_reported(place, {"/test/" + topic}, words);
  check(guest.run, topic);
  EXPECT_EQ(guest.outcome.failure, "");
  EXPECT_GT(guest.outcome.cycles.at("user"), 0u);
}

TEST_P(Hostile, MakesNoHostCallOfItsOwn) {
  const auto& [topic, place] = GetParam();
  auto words = options(topic, stride_at(place, true), false);
  words.emplace_back("--observe");
  const auto guest = support::exec_reported(place, {"/test/" + topic}, words);
  check(guest.run, topic);
  support::expect_allowed(guest.outcome);
}

std::string name_of(const testing::TestParamInfo<support::Case>& info) {
  return support::case_name(info.param);
}

INSTANTIATE_TEST_SUITE_P(All, Hostile,
                         testing::ValuesIn(support::cases(support::topics_of(TYPETWO_TOPICS),
                                                          support::protected_points())),
                         name_of);
INSTANTIATE_TEST_SUITE_P(All, HostileToAccounts,
                         testing::ValuesIn(support::cases({"gate_jumps"},
                                                          support::protected_points())),
                         name_of);

}  // namespace
