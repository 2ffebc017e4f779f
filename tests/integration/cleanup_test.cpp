// Integration: however the tool ends, it leaves no process, no mount and no temporary file.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/leaves_nothing.h"
#include "tests/support/started_guest.h"
#include "tests/support/tool.h"

namespace {

class Cleanup : public support::LeavesNothing {
 protected:
  /// Starts a guest, waits until it runs, ends the tool with `signal`: the tool's wait status.
  static int end_by(int signal, const std::string& script) {
    return support::StartedGuest(GetParam(), "echo ready; " + script).end_by(signal);
  }
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

}  // namespace
