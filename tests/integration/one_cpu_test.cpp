// Integration: all host processes of a run, the tool's own included, share one CPU, also where
// nobody named one.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <set>

#include "tests/support/process_list.h"
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
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const pid_t tool =
      support::start_tool({"exec", "--on", GetParam(), "--memory", "64M", "--timeout", "60", "--",
                           "/bin/busybox", "sh", "-c", "sleep 1000 & echo; sleep 1000"},
                          ends[1]);
  close(ends[1]);
  char byte;
  EXPECT_EQ(read(ends[0], &byte, 1), 1);
  std::set<std::string> cpus = {allowed_cpus(tool)};
  const auto processes = support::descendants(tool);
  EXPECT_FALSE(processes.empty());
  for (const auto& process : processes) cpus.insert(allowed_cpus(process.pid));
  EXPECT_EQ(cpus.size(), 1u) << testing::PrintToString(cpus);
  EXPECT_THAT(*cpus.begin(), testing::MatchesRegex("[0-9]+"));
  kill(tool, SIGKILL);
  waitpid(tool, nullptr, 0);
  close(ends[0]);
}

}  // namespace
