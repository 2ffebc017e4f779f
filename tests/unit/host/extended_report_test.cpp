// What the extended VMM's launcher makes of the resident part's report, which is in the end
// whatever somebody wrote into the window.
#include "extended-vmm/report.h"
#include "monitor/guest/markers.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>

#include "vmi/shared_info.h"

namespace extended {
namespace {

struct ReportTest : testing::Test {
  monitor::GuestMemory memory{vmi::ram_min};
  std::unique_ptr<Report> report = std::make_unique<Report>();
  monitor::Outcome outcome;
  void write_log(const std::string& text) {
    std::copy(text.begin(), text.end(), report->markers.text);
    report->markers.bytes = static_cast<std::uint32_t>(text.size());
  }
};

TEST_F(ReportTest, ReadsMarkers) {
  write_log("12 start a\n34 stop\n");
  monitor::read_markers(report->markers, outcome);
  ASSERT_EQ(outcome.markers.size(), 2u);
  EXPECT_EQ(outcome.markers[0].host_ns, 12u);
  EXPECT_EQ(outcome.markers[0].text, "start a");
  EXPECT_EQ(outcome.markers[1].text, "stop");
}

TEST_F(ReportTest, AForgedLogIsReadNoFurtherThanItGoes) {
  std::memset(report->markers.text, '7', sizeof report->markers.text);
  for (std::uint32_t bytes :
       {devices::MarkerLog::capacity, devices::MarkerLog::capacity + 1, 0xffffffffu}) {
    report->markers.bytes = bytes;
    monitor::read_markers(report->markers, outcome);
  }
  EXPECT_TRUE(outcome.markers.empty());  // one number without an end
  write_log("\n\n \nx\n99999999999999999999999 a\n-1 b\n5\n6 \n");
  monitor::read_markers(report->markers, outcome);
  for (const monitor::Marker& marker : outcome.markers) EXPECT_LT(marker.text.size(), 2u);
}

TEST_F(ReportTest, AMessageNeedsNoEnd) {
  report->ending = Ending::death;
  std::memset(report->message, 'm', sizeof report->message);
  std::memset(&report->registers, 0xff, sizeof report->registers);
  judge_end(0, "", memory, *report, outcome);
  EXPECT_EQ(outcome.exit_status, 125);
  EXPECT_EQ(outcome.failure.find_first_not_of('m'), sizeof report->message);
}

TEST_F(ReportTest, WhateverEndsItHasAStatus) {
  for (std::uint32_t ending : {0u, 1u, 2u, 3u, 0xffffffffu})
    for (int status : {0, 0x100, SIGSEGV, 0x7f, 0xffff, -1, 0x7fffffff}) {
      report->ending = static_cast<Ending>(ending);
      report->wait_status = status;
      outcome = {};
      judge_end(status, "it did not start", memory, *report, outcome);
      EXPECT_GE(outcome.exit_status, 0);
      EXPECT_LE(outcome.exit_status, 255);
    }
}

TEST_F(ReportTest, ABootAtAnImpossibleTimeDidNotTakePlace) {
  const vmi::TimeScale scale{.base_tsc = 1000,
                             .monotonic_ns = 5'000'000'000,
                             .realtime_ns = 0,
                             .mult = 1u << 31,
                             .shift = 31};
  report->first_user_tsc = 1000 + 1'000'000'000;
  EXPECT_EQ(boot_time(*report, scale, 3'000'000'000), 6.0);
  for (std::uint64_t tsc :
       {std::uint64_t{0}, std::uint64_t{999}, std::uint64_t{3'000'000'001}, ~std::uint64_t{0}}) {
    report->first_user_tsc = tsc;
    EXPECT_FALSE(boot_time(*report, scale, 3'000'000'000));
  }
}

TEST_F(ReportTest, GarbageNeverCrashes) {
  std::mt19937_64 random(1);
  auto* words = reinterpret_cast<std::uint64_t*>(report.get());
  for (int round = 0; round < 100; ++round) {
    std::generate(words, words + sizeof(Report) / 8, [&] { return random(); });
    report->ending = static_cast<Ending>(random() % 4);
    outcome = {};
    judge_end(static_cast<int>(random()), "", memory, *report, outcome);
    monitor::read_markers(report->markers, outcome);
  }
}

}  // namespace
}  // namespace extended
