// Verdicts from findings, and that the probes leave this process as it was.
#include "machines/kinds.h"
#include "monitor/host/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>

#include "monitor/tool/error.h"

namespace monitor {
namespace {

TEST(HostCheck, TheWorstFindingThatConcernsItDecides) {
  std::vector<Finding> findings = {
      {"a", "", Verdict::slow, "", Need::seccomp},
      {"b", "", Verdict::no, "", Need::huge_window},
  };
  EXPECT_EQ(judge(machines::parse("standalone"), findings), Verdict::yes);
  EXPECT_EQ(judge(machines::parse("extended:protect=none"), findings), Verdict::slow);
  EXPECT_EQ(judge(machines::parse("extended"), findings), Verdict::no);
  EXPECT_EQ(judge(machines::parse("baseline"), findings), Verdict::no);
}

TEST(HostCheck, WhatIsMissingHasARemedy) {
  for (const auto& found : examine_host(64 << 20)) {
    EXPECT_FALSE(found.value.empty()) << found.name;
    EXPECT_EQ(found.verdict == Verdict::yes, found.remedy.empty()) << found.name;
  }
}

TEST(HostCheck, MemoryThatNoHostHasIsRefusedForGuestsOnly) {
  constexpr std::uint64_t absurd = 1ull << 55;
  EXPECT_THROW(require_host_for(machines::parse("extended"), absurd), HostError);
  auto findings = examine_host(absurd);
  auto memory = std::find_if(findings.begin(), findings.end(),
                             [](const auto& found) { return found.name == "memory available"; });
  ASSERT_NE(memory, findings.end());
  EXPECT_EQ(memory->verdict, Verdict::no);
  EXPECT_FALSE(memory->concerns(machines::parse("standalone")));
}

TEST(HostCheck, ProbesLeaveNoTrace) {
  examine_host(64 << 20);
  EXPECT_EQ(prctl(PR_GET_SECCOMP), 0);
  EXPECT_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);  // no child is left
}

}  // namespace
}  // namespace monitor
