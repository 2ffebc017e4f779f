// The ladder over made-up launches: what is compared with what, and when an axis pays.
#include "results/ladder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>

#include "machines/kinds.h"
#include "monitor/machine/kind.h"
#include "plots/plots.h"
#include "workloads/harness/ladder_report.h"
#include "workloads/harness/named_plan.h"
#include "workloads/harness/switch_report.h"

namespace results {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr unsigned rounds = 5;

void add(File& file, const std::string& workload, const std::string& config, double us) {
  const auto point = machines::parse(config == standalone_again ? std::string(standalone) : config);
  for (unsigned round = 1; round <= rounds; ++round) {
    Launch launch;
    launch.workload = workload;
    launch.config = config;
    launch.axes = point.axes();
    launch.unit = "us";
    launch.round = round;
    launch.samples = {us * (1 + 0.001 * round)};
    file.launches.push_back(launch);
  }
}

/// Of every step the same time, but for the ones given, of null-syscall.
File climbed(const std::map<std::string, double>& times, double again = 1) {
  File file;
  file.header.options = {{"plan", "ladder"}, {"runs", rounds}};
  file.header.context = nlohmann::json::object();
  add(file, "null-syscall", standalone, 1);
  add(file, "null-syscall", standalone_again, again);
  for (const Rung& rung : ladder()) {
    const auto given = times.find(rung.config);
    add(file, "null-syscall", rung.config, given == times.end() ? 10 : given->second);
  }
  return file;
}

/// Those of the plan that climbed() has not: every step takes the same time.
void add_other_workloads(File& file) {
  for (const auto* workload :
       harness::find_named_plan("ladder")->workloads(harness::Effort::quick)) {
    const std::string name(workload->info.name);
    if (name == "null-syscall") continue;
    add(file, name, standalone, 1);
    for (const Rung& one : ladder()) add(file, name, one.config, 10);
  }
}

const Rung& rung(const std::string& config) {
  for (const Rung& one : ladder()) {
    if (one.config == config) return one;
  }
  throw std::invalid_argument(config);
}

TEST(Ladder, ConfigurationsAreSpelledAsResultsSpellThem) {
  std::set<std::string> all;
  for (const Rung& one : ladder()) {
    EXPECT_EQ(machines::parse(one.config).name(), one.config);
    EXPECT_TRUE(all.insert(one.config).second) << one.config;
  }
}

/// "mmap" of "trap=sigsys,protect=mmap,spaces=pool".
std::string word(const monitor::Config& config, const std::string& axis) {
  const std::string axes = config.axes() + ",";
  const auto begin = axes.find(axis + "=") + axis.size() + 1;
  return axes.substr(begin, axes.find(',', begin) - begin);
}

TEST(Ladder, EachComparisonMovesOneAxis) {
  for (const Rung& one : ladder()) {
    if (one.kind == Rung::Kind::start) continue;
    const auto with = machines::parse(one.with), without = machines::parse(one.without);
    const std::string axis = one.axis;
    for (const char* other : {"trap", "protect", "spaces"}) {
      EXPECT_EQ(word(with, other) != word(without, other), axis == other) << one.config;
    }
  }
}

TEST(Ladder, AStepIsComparedWithTheOneBeforeAndAPutBackAxisWithTheFullSet) {
  const File file = climbed({{"baseline", 100}, {"extended", 2}});
  const Summary summary = summarize(file);
  const auto gain_of = [&](const char* config) {
    return gain(summary, "null-syscall", rung(config));
  };
  EXPECT_FALSE(gain_of("baseline"));
  const auto first = gain_of("extended:trap=sigsys,protect=mmap,spaces=remap");
  ASSERT_TRUE(first);
  EXPECT_NEAR(first->ratio.value, 0.1, 1e-9);
  EXPECT_TRUE(first->pays());
  EXPECT_NEAR(gain_of("extended")->ratio.value, 0.2, 1e-9);
  EXPECT_NEAR(gain_of("extended:spaces=remap")->ratio.value, 0.2, 1e-9);
  const auto bound = gain_of("extended:protect=none");
  EXPECT_NEAR(bound->ratio.value, 5, 1e-9);
  EXPECT_TRUE(bound->costs());
  const auto same = gain_of("extended:trap=sigsys");
  EXPECT_FALSE(same->pays() || same->costs());
}

TEST(Ladder, WhatIsWithinTheNoiseNeitherPaysNorCosts) {
  const std::map<std::string, double> times = {{"extended", 9}};
  EXPECT_TRUE(gain(summarize(climbed(times)), "null-syscall", rung("extended"))->pays());
  EXPECT_FALSE(gain(summarize(climbed(times, 1.2)), "null-syscall", rung("extended"))->pays());
}

TEST(Ladder, AMissingConfigurationIsNotCompared) {
  File file;
  add(file, "null-syscall", standalone, 1);
  add(file, "null-syscall", "extended", 2);
  EXPECT_FALSE(gain(summarize(file), "null-syscall", rung("extended")));
  EXPECT_EQ(harness::ladder_verdicts(summarize(file)), "");
}

TEST(Ladder, VerdictsNameWhatPaysAndWhatDoesNot) {
  File file = climbed({{"baseline", 100}, {"extended", 2}});
  add_other_workloads(file);
  const Summary summary = summarize(file);
  const std::string text = harness::ladder_verdicts(summary);
  EXPECT_THAT(text,
              HasSubstr("trap ptrace to sigsys, as a step:\n    pays on null-syscall x0.1\n"));
  EXPECT_THAT(text, HasSubstr("spaces remap to pool, as a step:\n    pays on nothing"));
  EXPECT_THAT(text, HasSubstr("spaces remap to pool, into the full set:\n    pays on null-sys"));
  EXPECT_THAT(text, HasSubstr("\"every axis pays on at least one operation\" holds"));
  file = climbed({});
  add_other_workloads(file);
  EXPECT_THAT(harness::ladder_verdicts(summarize(file)),
              HasSubstr("DOES NOT HOLD: not trap, protect, spaces"));
  const std::string table = harness::ladder_table(summary);
  EXPECT_THAT(table, HasSubstr("full set, spaces=remap"));
  EXPECT_THAT(table, HasSubstr("unprotected, upper bound"));
}

TEST(Ladder, WithFewLaunchesNothingIsDecided) {
  File file = climbed({{"baseline", 100}, {"extended", 2}});
  add_other_workloads(file);
  std::erase_if(file.launches, [](const Launch& launch) { return launch.round > 1; });
  const Summary summary = summarize(file);
  const std::string text = harness::ladder_verdicts(summary);
  EXPECT_THAT(text, Not(HasSubstr("pays on null-syscall")));
  EXPECT_THAT(text, HasSubstr("is undecided: trap, protect, spaces"));
  const std::string table = harness::ladder_table(summary);
  EXPECT_THAT(table, Not(HasSubstr("..")));
  EXPECT_THAT(table, HasSubstr("undecided"));
  EXPECT_THAT(table, HasSubstr("they decide nothing"));
}

TEST(Ladder, VerdictsAreOfWhatWasMeasured) {
  const std::string few = harness::ladder_verdicts(summarize(climbed({{"extended", 2}})));
  EXPECT_THAT(few, HasSubstr("pays on null-syscall"));
  EXPECT_THAT(few, Not(HasSubstr("every axis")));
  File file;
  add(file, "null-syscall", standalone, 1);
  add(file, "null-syscall", "extended:trap=sigsys", 10);
  add(file, "null-syscall", "extended", 2);
  const std::string one = harness::ladder_verdicts(summarize(file));
  EXPECT_THAT(one, HasSubstr("not measured: protect, spaces\n"));
  EXPECT_THAT(one, Not(HasSubstr("every axis")));
}

TEST(SwitchCost, SaysHowARoundTripGrows) {
  File file;
  for (const char* workload : {"switch-0m", "switch-256m"}) {
    add(file, workload, standalone, 5);
    add(file, workload, "extended:spaces=remap", workload[7] == '0' ? 20 : 2000);
  }
  const std::string text = harness::switch_facts(summarize(file));
  EXPECT_THAT(text, HasSubstr("extended:spaces=remap: 20.06 us with 0 MiB"));
  EXPECT_THAT(text, HasSubstr("256 MiB (4096 runs): x100.0"));
}

TEST(NamedPlans, HaveTheirOwnFigures) {
  char folder[] = "/tmp/ladder-test-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  File file = climbed({{"baseline", 100}});
  for (const char* plan : {"ladder", "switch-cost"}) {
    file.header.options["plan"] = plan;
    if (std::string(plan) == "switch-cost") {
      file.launches.clear();
      for (const char* config : {standalone, "extended"}) add(file, "switch-0m", config, 5);
    }
    for (const auto& path : plots::draw_figure(file, folder, plan)) {
      EXPECT_GT(std::filesystem::file_size(path), 2000u) << path;
    }
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace results
