// Verdicts from findings, and that the probes leave this process as it was.
#include "monitor/host/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>

#include "monitor/tool/error.h"

namespace monitor {
namespace {

bool only_extended(const Config& config) {
  return config.vmm == Vmm::extended;
}

TEST(HostCheck, TheWorstFindingThatConcernsItDecides) {
  std::vector<Finding> findings = {
      {"a", "", Verdict::slow, "", only_extended},
      {"b", "", Verdict::no, "", [](const Config& c) { return c.protect == Protect::none; }},
  };
  EXPECT_EQ(judge(Config::parse("baseline"), findings), Verdict::yes);
  EXPECT_EQ(judge(Config::parse("extended"), findings), Verdict::slow);
  EXPECT_EQ(judge(Config::parse("extended:protect=none"), findings), Verdict::no);
}

TEST(HostCheck, WhatIsMissingHasARemedy) {
  for (const auto& found : examine_host(64 << 20)) {
    EXPECT_FALSE(found.value.empty()) << found.name;
    EXPECT_NE(found.concerns, nullptr) << found.name;
    EXPECT_EQ(found.verdict == Verdict::yes, found.remedy.empty()) << found.name;
  }
}

TEST(HostCheck, MemoryThatNoHostHasIsRefusedForGuestsOnly) {
  constexpr std::uint64_t absurd = 1ull << 55;
  EXPECT_THROW(require_host_for(Config::parse("extended"), absurd), HostError);
  auto findings = examine_host(absurd);
  auto memory = std::find_if(findings.begin(), findings.end(),
                             [](const auto& found) { return found.name == "memory available"; });
  ASSERT_NE(memory, findings.end());
  EXPECT_EQ(memory->verdict, Verdict::no);
  EXPECT_FALSE(memory->concerns(Config::parse("standalone")));
}

TEST(HostCheck, ProbesLeaveNoTrace) {
  examine_host(64 << 20);
  EXPECT_EQ(prctl(PR_GET_SECCOMP), 0);
  EXPECT_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);  // no child is left
}

TEST(HostCheck, AllConfigsCoverTheAxesOnce) {
  auto configs = all_configs();
  EXPECT_EQ(configs.size(), 6u);
  EXPECT_EQ(configs.front().name(), "standalone");
}

}  // namespace
}  // namespace monitor
