// Integration: all host processes of a run, the tool's own included, share one CPU, also where
// nobody named one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <set>

#include "tests/support/started_guest.h"
#include "tests/support/tool.h"

namespace {

/// As /proc/PID/status has it: "3", "0-3,8".
std::string allowed_cpus(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  const std::string key = "Cpus_allowed_list:\t";
  for (std::string line; std::getline(status, line);)
    if (line.rfind(key, 0) == 0) return line.substr(key.size());
  return "";
}

class OneCpu : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Everywhere, OneCpu, testing::ValuesIn(support::places()),
                         [](const auto& info) { return support::test_name(info.param); });

TEST_P(OneCpu, IsForAllProcesses) {
  support::StartedGuest guest(GetParam(), "sleep 1000 & echo ready; sleep 1000");
  std::set<std::string> cpus = {allowed_cpus(guest.tool())};
  const auto processes = guest.processes();
  EXPECT_FALSE(processes.empty());
  for (const auto& process : processes) cpus.insert(allowed_cpus(process.pid));
  EXPECT_EQ(cpus.size(), 1u) << testing::PrintToString(cpus);
  EXPECT_THAT(*cpus.begin(), testing::MatchesRegex("[0-9]+"));
  guest.end_by(SIGKILL);
}

}  // namespace
