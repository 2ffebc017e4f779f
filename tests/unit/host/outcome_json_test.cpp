// Reports: what is written is what is read.
#include "monitor/machine/outcome_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "machines/kinds.h"
#include "monitor/tool/error.h"

namespace monitor {
namespace {

using testing::HasSubstr;

TEST(OutcomeJson, ComesBackAsItWas) {
  Outcome outcome;
  outcome.exit_status = 137;
  outcome.failure = "panic\nline two";
  outcome.boot_seconds = 0.0625;
  outcome.rss_bytes = 1ull << 40;
  outcome.window_is_huge = true;
  outcome.markers = {{123456789012345ull, "start x 10 5"}, {2, "stop x 6"}};
  outcome.counters = {{"host_calls", UINT64_MAX}};
  outcome.unknown_syscalls = {{"io_uring_setup", 2}};
  outcome.warnings = {"slow"};
  outcome.host_calls = {{"mmap", 3}};
  outcome.system_calls = {{"read", {.calls = 5, .trapped = 2, .cycles = 1ull << 50}}};
  outcome.cycles = {{"user", 12}};
  outcome.cycles_per_second = 2.5e9;
  outcome.shortest_trapped_stay = 4000;
  outcome.observed = {{0x7fff10000123, 0xc000003e, 10, {1, 2, 3, 4, 5, 6}, 7, true, false}};
  std::string text = outcome_to_json(outcome, machines::parse("extended:protect=none"));
  Outcome back = outcome_from_json(text);
  EXPECT_EQ(back.exit_status, 137);
  EXPECT_EQ(back.failure, outcome.failure);
  EXPECT_EQ(back.boot_seconds, outcome.boot_seconds);
  EXPECT_EQ(back.rss_bytes, outcome.rss_bytes);
  EXPECT_TRUE(back.window_is_huge);
  ASSERT_EQ(back.markers.size(), 2u);
  EXPECT_EQ(back.markers[0].host_ns, 123456789012345ull);
  EXPECT_EQ(back.markers[1].text, "stop x 6");
  EXPECT_EQ(back.counters, outcome.counters);
  EXPECT_EQ(back.unknown_syscalls, outcome.unknown_syscalls);
  EXPECT_EQ(back.warnings, outcome.warnings);
  EXPECT_EQ(back.host_calls, outcome.host_calls);
  EXPECT_EQ(back.system_calls, outcome.system_calls);
  EXPECT_EQ(back.cycles, outcome.cycles);
  EXPECT_EQ(back.cycles_per_second, 2.5e9);
  EXPECT_EQ(back.shortest_trapped_stay, 4000u);
  ASSERT_EQ(back.observed.size(), 1u);
  EXPECT_EQ(back.observed[0].ip, 0x7fff10000123u);
  EXPECT_EQ(back.observed[0].arguments[5], 6u);
  EXPECT_TRUE(back.observed[0].in_kernel);
  EXPECT_FALSE(back.observed[0].allowed);
  EXPECT_THAT(text, HasSubstr("\"config\": \"extended:protect=none\""));
  EXPECT_THAT(text, HasSubstr("unprotected, upper bound"));
}

TEST(OutcomeJson, ReportsWithoutAccountsAreRead) {
  auto report = nlohmann::json::parse(outcome_to_json(Outcome{}, machines::standalone()));
  for (const char* name : {"host_calls", "system_calls"}) EXPECT_EQ(report.erase(name), 1u);
  EXPECT_FALSE(report.contains("cycles"));
  EXPECT_TRUE(outcome_from_json(report.dump()).system_calls.empty());
}

TEST(OutcomeJson, BytesThatAreNoTextDoNotSpoilTheReport) {
  Outcome outcome;
  outcome.markers = {{1, "start \xff\xfe 1"}};
  EXPECT_NO_THROW(outcome_from_json(outcome_to_json(outcome, machines::standalone())));
}

TEST(OutcomeJson, OtherTextIsRefusedWithWords) {
  for (const char* text : {"", "{}", "[1]", "{\"schema\":1}", "{\"schema\":99}"}) {
    EXPECT_THROW(outcome_from_json(text), HostError) << text;
  }
}

}  // namespace
}  // namespace monitor
