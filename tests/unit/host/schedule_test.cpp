// Plans and schedules: defaults, interleaving, and what a resumed run still has to do.
#include "workloads/harness/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "machines/kinds.h"
#include "monitor/tool/error.h"

namespace harness {
namespace {

using monitor::Config;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> names(const std::vector<Slot>& slots) {
  std::vector<std::string> all;
  for (const Slot& slot : slots)
    all.push_back(slot.config_name() + "/" + std::to_string(slot.round));
  return all;
}

RunOptions two_rounds_of_compute() {
  RunOptions options;
  options.workloads = {"compute"};
  options.configs = {machines::parse("baseline"), machines::parse("extended")};
  options.runs = 2;
  return options;
}

results::Launch done(const Slot& slot) {
  results::Launch launch;
  launch.workload = slot.workload->info.name;
  launch.config = slot.config_name();
  launch.round = slot.round;
  launch.warmup = slot.warmup();
  return launch;
}

TEST(Schedule, InterleavesConfigurationsAfterAWarmUp) {
  EXPECT_THAT(names(make_schedule(make_plan(two_rounds_of_compute()))),
              ElementsAre("standalone/0", "baseline/0", "extended/0",                     //
                          "standalone/1", "baseline/1", "extended/1", "standalone-aa/1",  //
                          "standalone/2", "baseline/2", "extended/2", "standalone-aa/2"));
}

TEST(Schedule, StandaloneIsNotRunTwiceWhenNamed) {
  RunOptions options = two_rounds_of_compute();
  options.configs = {machines::parse("standalone")};
  options.runs = 1;
  EXPECT_THAT(names(make_schedule(make_plan(options))),
              ElementsAre("standalone/0", "standalone/1", "standalone-aa/1"));
}

TEST(Schedule, WhatMeasuresTheHostRunsOnlyThere) {
  RunOptions options = two_rounds_of_compute();
  options.workloads = {"window-pair"};
  for (const Slot& slot : make_schedule(make_plan(options))) {
    EXPECT_EQ(slot.config, machines::standalone());
  }
}

TEST(Schedule, DefaultsHoldEveryVmmAndTheUnprotectedBound) {
  const Plan plan = make_plan({});
  EXPECT_EQ(plan.runs, 5u);
  EXPECT_EQ(plan.memory_bytes, 256ul << 20);
  EXPECT_EQ(plan.workloads.size(), 6u);
  for (const Workload* workload : plan.workloads) EXPECT_TRUE(workload->info.in_quick);
  const auto all = names(make_schedule(plan));
  for (const char* name : {"standalone/1", "baseline/1", "extended/1", "extended:protect=none/1"}) {
    EXPECT_THAT(all, testing::Contains(name));
  }
}

TEST(Schedule, FullTakesElevenLaunchesOfEveryPoint) {
  RunOptions options;
  options.effort = Effort::full;
  EXPECT_EQ(make_plan(options).workloads.size(), list_workloads().size());
  options.workloads = {"touch-seq"};
  const Plan plan = make_plan(options);
  EXPECT_EQ(plan.runs, 11u);
  for (const char* name : {"baseline:trap=sysemu/11", "extended:spaces=remap/11"}) {
    EXPECT_THAT(names(make_schedule(plan)), testing::Contains(name));
  }
}

TEST(Schedule, AQuickRunMovesEachAxisWhereItIsAllThatIsMeasured) {
  RunOptions options;
  options.workloads = {"null-syscall"};
  const auto calls = names(make_schedule(make_plan(options)));
  for (const char* name :
       {"baseline:trap=sysemu/1", "extended:trap=sigsys/1", "extended:protect=mmap/1"}) {
    EXPECT_THAT(calls, testing::Contains(name));
  }
  options.workloads = {"pipe-switch"};
  EXPECT_THAT(names(make_schedule(make_plan(options))),
              testing::Contains("extended:spaces=remap/1"));
}

TEST(NamedPlans, TheLadderClimbsByOneStepAndPutsEachAxisBack) {
  RunOptions options;
  options.workloads = {"ladder", "compute"};
  options.runs = 1;
  const Plan plan = make_plan(options);
  EXPECT_EQ(plan.to_json()["plan"], "ladder");
  EXPECT_THAT(
      names(make_schedule(plan)),
      testing::IsSupersetOf({"standalone/1", "baseline/1", "baseline:trap=sysemu/1",
                             "extended:trap=sigsys,protect=mmap,spaces=remap/1",
                             "extended:trap=sigsys,spaces=remap/1", "extended:trap=sigsys/1",
                             "extended/1", "extended:spaces=remap/1", "extended:protect=mmap/1",
                             "extended:protect=none/1", "standalone-aa/1"}));
  options.workloads = {"ladder"};
  EXPECT_GT(make_plan(options).workloads.size(), 8u);
  options.effort = Effort::full;
  EXPECT_TRUE(make_plan(options).workloads.back()->from_image);
}

TEST(NamedPlans, TheSweepInterleavesTheWorkloadsThatItCompares) {
  RunOptions options;
  options.workloads = {"switch-cost"};
  options.runs = 2;
  std::vector<unsigned> rounds;
  for (const Slot& slot : make_schedule(make_plan(options))) rounds.push_back(slot.round);
  EXPECT_TRUE(std::is_sorted(rounds.begin(), rounds.end()));
  for (const Workload* workload : make_plan(options).workloads) {
    const Work work = make_work(*workload, machines::parse("extended:spaces=remap"), Effort::quick);
    EXPECT_EQ(workload->info.name, "switch-" + work.argv.at(3) + "m");
  }
}

TEST(Schedule, BadOptionsAreNamed) {
  const auto refusal = [](const RunOptions& options) -> std::string {
    try {
      make_plan(options);
    } catch (const monitor::UsageError& error) {
      return error.what();
    }
    return "accepted";
  };
  RunOptions unknown, twice, none, own_configs, own_workloads;
  unknown.workloads = {"no-such"};
  twice.workloads = {"compute", "compute"};
  none.runs = 0;
  own_configs.workloads = {"ladder"};
  own_configs.configs = {machines::parse("baseline")};
  own_workloads.workloads = {"switch-cost", "compute"};
  EXPECT_THAT(refusal(unknown), HasSubstr("unknown workload or plan 'no-such': use null-syscall"));
  EXPECT_THAT(refusal(twice), HasSubstr("given twice"));
  EXPECT_THAT(refusal(none), HasSubstr("at least 1"));
  EXPECT_THAT(refusal(own_configs), HasSubstr("leave --on out"));
  EXPECT_THAT(refusal(own_workloads), HasSubstr("name no others"));
}

TEST(Schedule, AResumeSkipsWhatIsDoneButWarmsUpAgain) {
  const auto schedule = make_schedule(make_plan(two_rounds_of_compute()));
  std::vector<results::Launch> launches;
  for (std::size_t i = 0; i < 5; ++i) launches.push_back(done(schedule[i]));
  EXPECT_THAT(names(remaining(schedule, launches)),
              ElementsAre("standalone/0", "baseline/0", "extended/0",  //
                          "extended/1", "standalone-aa/1",             //
                          "standalone/2", "baseline/2", "extended/2", "standalone-aa/2"));
}

TEST(Schedule, NothingIsLeftOfAFinishedRun) {
  const auto schedule = make_schedule(make_plan(two_rounds_of_compute()));
  std::vector<results::Launch> launches;
  for (const Slot& slot : schedule) launches.push_back(done(slot));
  EXPECT_TRUE(remaining(schedule, launches).empty());
}

TEST(Schedule, WorkloadsThatNeedMoreMemoryGetItUnlessToldOtherwise) {
  RunOptions options;
  options.workloads = {"compute", "touch-rand"};
  EXPECT_EQ(make_plan(options).memory_bytes, 512ul << 20);
  options.memory_bytes = 300ul << 20;
  EXPECT_EQ(make_plan(options).memory_bytes, 300ul << 20);
}

}  // namespace
}  // namespace harness
