// The harness with a made-up executor: what is recorded, judged wrong, resumed, and reported.
#include "workloads/harness/harness.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "monitor/tool/error.h"
#include "plots/figure.h"
#include "tests/unit/host/harness_fixture.h"
#include "workloads/harness/interrupts.h"
#include "workloads/harness/judge.h"
#include "workloads/harness/report.h"
#include "workloads/harness/run.h"

namespace harness {
namespace {

using monitor::Config;
using testing::HasSubstr;
using testing::Not;

TEST_F(Harness, RecordsEveryLaunchWithItsRawSamples) {
  run();
  const auto launches = file().launches;
  ASSERT_EQ(launches.size(), 2u + 2 * 3u);
  EXPECT_TRUE(launches[0].warmup);
  EXPECT_EQ(launches[2].config, "standalone");
  EXPECT_EQ(launches[2].samples, std::vector<double>(5, 0.1));
  EXPECT_EQ(launches[3].samples, std::vector<double>(5, 1.0));
  EXPECT_TRUE(problems().empty());
}

TEST_F(Harness, OfRatesMoreIsBetter) {
  run_changed([](Workload& workload) {
    workload.info.unit = "k/s";
    workload.unit_ns = 1e6;
  });
  const results::Summary summary = results::summarize(file());
  EXPECT_DOUBLE_EQ(summary.find("null-syscall", "standalone")->median, 10000);
  EXPECT_DOUBLE_EQ(summary.find("null-syscall", "baseline")->median, 1000);
  EXPECT_DOUBLE_EQ(summary.find("null-syscall", "baseline")->ratio->value, 10);
}

TEST_F(Harness, AccountsAreAskedForAndKept) {
  options_.account = true;
  executor_.change = [](const machines::Request& request, LaunchResult& result) {
    if (request.account) result.outcome.cycles = {{"user", 10}, {"gate", 4}};
  };
  run();
  EXPECT_EQ(file().header.options.at("account"), true);
  for (const auto& launch : file().launches) {
    EXPECT_EQ(launch.outcome.cycles.size(), results::config_of(launch).is_guest() ? 2u : 0u);
  }
}

TEST_F(Harness, WrongOutputIsRecordedAndTheRunGoesOn) {
  executor_.change = [](const machines::Request& request, LaunchResult& result) {
    if (request.on == machines::parse("baseline")) result.out = "null-syscall 1\n";
  };
  run();
  EXPECT_EQ(file().launches.size(), 8u);
  ASSERT_EQ(problems().size(), 3u);
  EXPECT_THAT(problems()[0], HasSubstr("wrong output"));
}

TEST_F(Harness, FailuresAreNamed) {
  const auto problem_of = [&](std::function<void(LaunchResult&)> spoil) {
    executor_.change = [&](const machines::Request& request, LaunchResult& result) {
      if (request.on == machines::parse("baseline")) spoil(result);
    };
    std::filesystem::remove_all(folder_);
    run();
    return problems().empty() ? "none" : problems().front();
  };
  EXPECT_EQ(problem_of([](auto&) {}), "none");
  EXPECT_EQ(problem_of([](auto& result) { result.status = 139; }), "exit status 139");
  EXPECT_EQ(problem_of([](auto& result) { result.status = 124; }), "timed out");
  EXPECT_EQ(problem_of([](auto& result) { result.reported = false; }), "the tool gave no report");
  EXPECT_EQ(problem_of([](auto& result) { result.outcome.failure = "guest panic: x\nrip 1"; }),
            "guest panic: x");
  EXPECT_THAT(problem_of([](auto& result) { result.outcome.markers.pop_back(); }),
              HasSubstr("measured parts"));
  EXPECT_THAT(problem_of([](auto& result) { result.outcome.markers[1].text = "stop other 5"; }),
              HasSubstr("unexpected marker"));
  EXPECT_THAT(problem_of([](auto& result) {
                for (auto& marker : result.outcome.markers) marker.host_ns *= 2;
              }),
              HasSubstr("guest clock disagrees"));
}

TEST_F(Harness, ALateStampIsNoWrongClock) {
  executor_.change = [](const machines::Request&, LaunchResult& result) {
    result.outcome.markers[1].host_ns += 100'000'000;
  };
  run();
  EXPECT_TRUE(problems().empty());
}

TEST_F(Harness, ClocksMayDifferByAPercentAndALittle) {
  executor_.change = [](const machines::Request&, LaunchResult& result) {
    for (std::size_t i = 1; i < result.outcome.markers.size(); i += 2) {
      result.outcome.markers[i].host_ns += 200'000;
    }
  };
  run();
  EXPECT_TRUE(problems().empty());
}

TEST_F(Harness, StandaloneSaysWhatIsRightWhereNothingElseDoes) {
  options_.workloads = {"compute"};
  executor_.change = [](const machines::Request& request, LaunchResult& result) {
    if (request.on == machines::parse("baseline")) result.out = "compute 43\n";
  };
  run();
  EXPECT_EQ(problems().size(), 3u);
}

TEST_F(Harness, WithoutACorrectStandaloneThereIsNothingToCompareWith) {
  options_.workloads = {"compute"};
  executor_.change = [](const machines::Request& request, LaunchResult& result) {
    if (!request.on.is_guest()) result.status = 1;
  };
  run();
  EXPECT_THAT(problems(), testing::Contains(HasSubstr("no correct standalone launch")));
}

TEST_F(Harness, AnInterruptedRunResumesWhereItStopped) {
  const InterruptGuard guard;
  executor_.change = [&](const machines::Request&, LaunchResult&) {
    if (executor_.requests.size() == 5) std::raise(SIGINT);
  };
  EXPECT_THROW(run(), Interrupted);
  EXPECT_EQ(file().launches.size(), 5u);

  const InterruptGuard again;
  executor_.change = nullptr;
  executor_.requests.clear();
  run();
  EXPECT_EQ(executor_.requests.size(), 2u + 3u);  // the warm-ups, and what was missing
  std::size_t counted = 0;
  for (const auto& launch : file().launches) counted += !launch.warmup;
  EXPECT_EQ(counted, 6u);

  executor_.requests.clear();
  run();
  EXPECT_TRUE(executor_.requests.empty());
}

TEST_F(Harness, ResultsOfOtherOptionsAreNotContinued) {
  run();
  options_.runs = 3;
  EXPECT_THROW(run(), monitor::UsageError);
}

TEST_F(Harness, CsvHasTheStableColumnsAndNoRepetition) {
  run();
  EXPECT_EQ(csv(results::summarize(file())),
            "workload,config,unit,median,ratio,ratio_low,ratio_high,runs\n"
            "null-syscall,standalone,us,0.1,1,1,1,2\n"
            "null-syscall,baseline,us,1,10,,,2\n");
  options_.runs = 5;
  std::filesystem::remove_all(folder_);
  run();
  EXPECT_THAT(csv(results::summarize(file())), HasSubstr("baseline,us,1,10,10,10,5\n"));
}

TEST_F(Harness, TableShowsFailuresPromisesAndTheNoiseFloor) {
  options_.configs.push_back(machines::parse("extended:protect=none"));
  executor_.change = [](const machines::Request& request, LaunchResult& result) {
    if (request.on == machines::parse("baseline")) result.out = "";
  };
  run();
  const std::string text = table(results::summarize(file()));
  EXPECT_THAT(text, HasSubstr("3 FAILED"));
  EXPECT_THAT(text, HasSubstr("unprotected, upper bound"));
  EXPECT_THAT(text, HasSubstr("Noise floor (standalone against itself): null-syscall 1.000"));
}

TEST_F(Harness, FactsNameStopsAndVerdicts) {
  options_.configs = {machines::parse("baseline"), machines::parse("extended")};
  executor_.change = [](const machines::Request& request, LaunchResult& result) {
    if (request.on != machines::parse("baseline")) return;
    result.outcome.counters = {{"null_protocol_stops", 9}, {"null_protocol_syscalls", 6600}};
  };
  run();
  const std::string text = facts(file(), results::summarize(file()));
  EXPECT_THAT(text, HasSubstr("baseline: 9 ptrace stops a null system call (6600 calls"));
  EXPECT_THAT(text,
              HasSubstr("\"at least 10\" is undecided"));  // 2 launches
  options_.runs = 5;
  std::filesystem::remove_all(folder_);
  run();
  EXPECT_THAT(facts(file(), results::summarize(file())), HasSubstr("\"at least 10\" DOES NOT HOLD"))
      << "made up: both take as long";
}

TEST_F(Harness, WithinAPercentIsUndecidedWhereTheIntervalCoversBoth) {
  options_.workloads = {"compute"};
  options_.runs = 5;
  unsigned launches = 0;
  executor_.change = [&](const machines::Request& request, LaunchResult& result) {
    const bool guest = request.on.is_guest();
    const unsigned ns = guest && ++launches % 2 == 0 ? 1022 : 1002;
    for (std::size_t i = 0; i < result.outcome.markers.size(); i += 2) {
      const auto pair = std::stoull(
          result.outcome.markers[i].text.substr(result.outcome.markers[i].text.rfind(' ')));
      const auto count = std::stoull(request.program.at(1));
      const auto end = pair + count * ns;
      result.outcome.markers[i + 1] = {end + 77, fmt::format("stop compute {}", end)};
    }
  };
  run();
  EXPECT_THAT(facts(file(), results::summarize(file())),
              HasSubstr("\"1 within 0.01\" is undecided"));
}

TEST_F(Harness, ADisturbedLaunchIsMadeAgainAndSaid) {
  unsigned baseline = 0;
  executor_.change = [&](const machines::Request& request, LaunchResult& result) {
    result.cpu = results::CpuShare{.elapsed_seconds = 1, .own_seconds = 1};
    if (request.on != machines::parse("baseline")) return;
    if (++baseline == 2) result.cpu->own_seconds = 0.4;  // the first that counts
  };
  run();
  EXPECT_EQ(baseline, 4u);  // warm-up, two rounds, one of them again
  const auto summary = results::summarize(file());
  const auto* cell = summary.find("null-syscall", "baseline");
  EXPECT_EQ(cell->runs(), 2u);
  EXPECT_EQ(cell->disturbed, 1u);
  EXPECT_THAT(table(summary), HasSubstr("1 disturbed, not counted"));
  const auto warnings = find_warnings(file(), summary);
  ASSERT_FALSE(warnings.empty());
  EXPECT_EQ(warnings[0].kind, Warning::Kind::disturbed);
  EXPECT_THAT(warnings[0].text, HasSubstr("1 of 9 launches, up to 60 % of its time"));
}

TEST_F(Harness, RepetitionsHaveABudget) {
  executor_.change = [](const machines::Request&, LaunchResult& result) {
    result.cpu = results::CpuShare{.elapsed_seconds = 1, .own_seconds = 0.1};
  };
  run();
  const std::size_t planned = 2 + 2 * 3;
  EXPECT_EQ(file().launches.size(), planned + planned / 2);
  EXPECT_THAT(table(results::summarize(file())), HasSubstr("all disturbed"));
  const plots::Figure figure = plots::lay_out(file());
  EXPECT_THAT(figure.caption.back(), HasSubstr("which decide nothing"));
}

TEST_F(Harness, WarnsOfSmallPagesAndOneCpu) {
  options_.configs = {machines::parse("extended")};
  run();
  results::File one = file();
  one.header.context["cpus_allowed"] = {0};
  one.header.context["clocksource"] = "hpet";
  one.header.context["hypervisor"] = "KVM";
  const auto warnings = find_warnings(one, results::summarize(one));
  std::vector<Warning::Kind> kinds;
  for (const Warning& warning : warnings) {
    kinds.push_back(warning.kind);
    EXPECT_THAT(warning.remedy, Not(testing::IsEmpty()));
  }
  EXPECT_THAT(kinds,
              testing::UnorderedElementsAre(Warning::Kind::small_pages, Warning::Kind::single_cpu,
                                            Warning::Kind::no_tsc, Warning::Kind::virtual_machine));
}

TEST_F(Harness, TheFigureLeavesOutStandaloneAndHatchesTheUnprotected) {
  options_.configs.push_back(machines::parse("extended:protect=none"));
  run();
  const plots::Figure figure = plots::lay_out(file());
  ASSERT_EQ(figure.series.size(), 2u);
  EXPECT_FALSE(figure.series[0].hatched);
  EXPECT_TRUE(figure.series[1].hatched);
  EXPECT_THAT(figure.series[1].title, HasSubstr("unprotected, upper bound"));
  EXPECT_NE(figure.series[0].colour, figure.series[1].colour);
  ASSERT_EQ(figure.rows.size(), 1u);
  EXPECT_EQ(figure.rows[0].groups.size(), 1u);
  EXPECT_DOUBLE_EQ(figure.rows[0].bars.at(0).ratio.value, 10);
}

TEST_F(Harness, AFigureOfManyWorkloadsHasRows) {
  options_.workloads = {"null-syscall", "clock-gettime", "pread-4k",  "write-1b", "touch-file",
                        "signal",       "create-unlink", "touch-seq", "compute"};
  for (const char* more : {"baseline:trap=sysemu", "extended", "extended:protect=none"}) {
    options_.configs.push_back(machines::parse(more));
  }
  run();
  const plots::Figure figure = plots::lay_out(file());
  ASSERT_EQ(figure.rows.size(), 2u);
  EXPECT_EQ(figure.rows[0].groups.size(), 5u);
  EXPECT_EQ(figure.rows[1].groups.size(), 4u);
  EXPECT_EQ(figure.rows[1].groups.back().workload, "compute");
  for (const auto& row : figure.rows) {
    EXPECT_EQ(row.bars.size(), 4 * row.groups.size());
    EXPECT_LT(row.bars.back().x, figure.right);
  }
}

TEST_F(Harness, WhatRunsFromAnImageGetsItAndTheOthersDoNot) {
  options_.workloads = {"null-syscall", "shell"};
  Plan plan = make_plan(options_);
  plan.images[{}] = "/the/image";
  std::vector<results::Launch> done;
  results::Writer writer = open_results(folder_, header(), done);
  run_schedule(plan, done, executor_, writer, Watcher{});
  EXPECT_TRUE(problems().empty()) << problems()[0];
  for (const machines::Request& request : executor_.requests) {
    EXPECT_EQ(request.root, request.program[0] == "/bin/bash" ? "/the/image" : "");
  }
}

}  // namespace
}  // namespace harness
