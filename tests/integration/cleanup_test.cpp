// Integration: however the tool ends, it leaves no process, no mount and no temporary file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "tests/support/process_list.h"
#include "tests/support/tool.h"

namespace {

namespace fs = std::filesystem;

std::set<std::string> temporary_files() {
  std::set<std::string> names;
  for (const char* folder : {"/tmp", "/dev/shm", "/var/tmp", "/run"}) {
    if (!fs::exists(folder)) continue;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().string().find("typetwo") != std::string::npos) names.insert(entry.path());
    }
  }
  return names;
}

std::string mounts() {
  std::ifstream file("/proc/self/mounts");
  return {std::istreambuf_iterator<char>(file), {}};
}

/// What this test's runs left behind: orphans become its children (PR_SET_CHILD_SUBREAPER), so that
/// whatever others run meanwhile does not count.
std::vector<std::string> processes_left() {
  while (waitpid(-1, nullptr, WNOHANG | __WALL) > 0) {
  }
  std::vector<std::string> left;
  for (const auto& process : support::descendants(getpid()))
    left.push_back(process.name + ' ' + process.state);
  return left;
}

class Cleanup : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    files_ = temporary_files();
    mounts_ = mounts();
    ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  }
  /// They may take a moment to be gone.
  void TearDown() override {
    for (int tries = 0; !processes_left().empty() && tries < 200; ++tries) usleep(20'000);
    EXPECT_THAT(processes_left(), testing::IsEmpty());
    EXPECT_EQ(temporary_files(), files_);
    EXPECT_EQ(mounts(), mounts_);
  }

  /// Starts a guest, waits until it runs, ends the tool with `signal`: the tool's wait status.
  static int end_by(int signal, const std::string& script) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    const pid_t tool =
        support::start_tool({"exec", "--on", GetParam(), "--memory", "64M", "--timeout", "60", "--",
                             "/bin/busybox", "sh", "-c", "echo ready; " + script},
                            ends[1]);
    close(ends[1]);
    char byte;
    while (read(ends[0], &byte, 1) == 1 && byte != '\n') {
    }
    kill(tool, signal);
    int status = 0;
    waitpid(tool, &status, 0);
    close(ends[0]);
    return status;
  }

 private:
  std::set<std::string> files_;
  std::string mounts_;
};

INSTANTIATE_TEST_SUITE_P(Everywhere, Cleanup, testing::ValuesIn(support::places()),
                         [](const auto& info) { return support::test_name(info.param); });

constexpr const char* busy = "while :; do :; done";
constexpr const char* sleeping = "sleep 1000";
constexpr const char* crowded = "for i in 1 2 3 4; do sleep 1000 & done; sleep 1000 | cat";

TEST_P(Cleanup, AfterKillOfTheToolNothingRuns) {
  for (const char* script : {busy, sleeping, crowded}) {
    const int status = end_by(SIGKILL, script);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  }
}

TEST_P(Cleanup, AfterSigtermAndSigint) {
  for (int signal : {SIGTERM, SIGINT, SIGHUP}) {
    for (const char* script : {busy, sleeping}) {
      const int status = end_by(signal, script);
      EXPECT_FALSE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
  }
}

TEST_P(Cleanup, WhenKilledWhileStarting) {
  for (int delay : {0, 500, 2000, 5000, 10000, 20000, 40000, 80000}) {
    const pid_t tool = support::start_tool(
        {"exec", "--on", GetParam(), "--memory", "64M", "--", "/bin/busybox", "sleep", "1000"}, 2);
    usleep(static_cast<useconds_t>(delay));
    kill(tool, SIGKILL);
    waitpid(tool, nullptr, 0);
  }
}

TEST_P(Cleanup, AfterAnOrderlyEnd) {
  EXPECT_EQ(support::exec(GetParam(), {"/bin/busybox", "sh", "-c", "sleep 1000 & exit 4"},
                          {"--memory", "64M"})
                .status,
            4);
}

TEST_P(Cleanup, AfterManyBoots) {
  const int boots = GetParam() == "standalone" ? 20 : 25;
  for (int i = 0; i < boots; ++i) {
    ASSERT_EQ(support::exec(GetParam(), {"/bin/busybox", "true"}, {"--memory", "16M"}).status, 0);
  }
}

}  // namespace
