// Integration: what ends a guest from within or without: time, memory, too many processes, system
// calls nobody serves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/tool.h"

namespace {

using support::ToolRun;
using testing::AnyOf;
using testing::Eq;
using testing::HasSubstr;

class Limits : public testing::TestWithParam<std::string> {
 protected:
  static ToolRun sh(const std::string& script, std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--memory", "64M"});
    return support::exec(GetParam(), {"/bin/busybox", "sh", "-c", script}, more);
  }
};

INSTANTIATE_TEST_SUITE_P(InGuests, Limits, testing::ValuesIn(support::guest_places()),
                         [](const auto& info) { return support::test_name(info.param); });

TEST_P(Limits, ATimeoutEndsABusyGuest) {
  const ToolRun run = sh("echo started; while :; do :; done", {"--timeout", "3"});
  EXPECT_EQ(run.status, 124) << run.describe();
  EXPECT_EQ(run.out, "started\n");
  EXPECT_THAT(run.err, HasSubstr("time"));
}

TEST_P(Limits, ATimeoutEndsASleepingGuest) {
  EXPECT_EQ(sh("sleep 1000", {"--timeout", "0.5"}).status, 124);
}

TEST_P(Limits, AProgramThatTakesAllMemoryIsStopped) {
  // A shell variable that doubles until nothing is left.
  const ToolRun run = sh("x=0123456789abcdef; while :; do x=$x$x; done", {"--timeout", "60"});
  EXPECT_TRUE(run.in_time);
  EXPECT_NE(run.status, 124) << "hung: " << run.describe();
  EXPECT_NE(run.status, 0) << run.describe();
}

TEST_P(Limits, AChildThatTakesAllMemoryDoesNotTakeItsParentAlong) {
  const ToolRun run =
      sh("sh -c 'x=0123456789abcdef; while :; do x=$x$x; done' 2>/dev/null; "
         "echo survived; ls / >/dev/null && echo works",
         {"--timeout", "60"});
  EXPECT_EQ(run.out, "survived\nworks\n") << run.describe();
}

// By Linux's rules: not who asked last, but who has most; and the console is told.
TEST_P(Limits, OutOfMemoryKillsTheOneThatHoldsMost) {
  const ToolRun run = support::exec(GetParam(), {"/test/memory_hog"},
                                    {"--memory", "64M", "--timeout", "60", "--add",
                                     support::program("memory_hog") + ":/test/memory_hog"});
  EXPECT_EQ(run.status, 0) << run.describe();
  EXPECT_EQ(run.out, "large one killed by 9\nspared one lives\n0 small ones are gone\n")
      << run.describe();
  EXPECT_THAT(run.err, HasSubstr("out of memory: killed process")) << run.describe();
}

TEST_P(Limits, ATreeThatDoesNotFitIsRefused) {
  const ToolRun run = support::exec(GetParam(), {"/bin/busybox", "true"}, {"--memory", "1M"});
  EXPECT_NE(run.status, 0);
  EXPECT_THAT(run.err, HasSubstr("memory")) << run.describe();
}

TEST_P(Limits, FilesFillMemoryAndNoMore) {
  const ToolRun run =
      sh("dd if=/dev/zero of=/tmp/f bs=1M count=200 2>/dev/null; echo $?; rm /tmp/f; "
         "dd if=/dev/zero of=/tmp/f bs=1M count=20 2>/dev/null; echo $?",
         {"--timeout", "60"});
  EXPECT_THAT(run.out, Eq("1\n0\n")) << run.describe();
}

TEST_P(Limits, AForkBombIsBounded) {
  const ToolRun run = sh("bomb() { bomb | bomb & }; bomb; sleep 1; exit 9", {"--timeout", "20"});
  EXPECT_TRUE(run.in_time);
  EXPECT_THAT(run.status, AnyOf(9, 124, 137, 2)) << run.describe();
}

TEST_P(Limits, ManyProcessesAreRefusedInAnOrderlyWay) {
  const ToolRun run =
      sh("i=0; while [ $i -lt 3000 ]; do sleep 100 & i=$((i + 1)); done 2>/dev/null; "
         "echo $i; kill $(jobs -p) 2>/dev/null; exit 0",
         {"--timeout", "60"});
  EXPECT_TRUE(run.in_time);
  EXPECT_NE(run.status, 125) << run.describe();
}

TEST_P(Limits, UnknownSystemCallsAreNamed) {
  const auto reported = support::exec_reported(
      GetParam(), {"/test/errors"},
      {"--memory", "64M", "--summary", "--add", support::program("errors") + ":/test/errors"});
  EXPECT_EQ(reported.run.status, 0) << reported.run.describe();
  EXPECT_FALSE(reported.outcome.unknown_syscalls.empty());
  EXPECT_THAT(reported.run.err, HasSubstr("_sysctl"));  // by its name
  EXPECT_THAT(reported.run.err, HasSubstr("511"));      // by its number: it has none
  EXPECT_GT(reported.outcome.counters.at("unknown_syscalls"), 10u);
}

TEST_P(Limits, CountersCount) {
  const auto reported = support::exec_reported(
      GetParam(), {"/bin/busybox", "sh", "-c", "for i in 1 2 3 4 5; do /bin/busybox true; done"},
      {"--memory", "64M"});
  const auto& counters = reported.outcome.counters;
  EXPECT_GE(counters.at("forks"), 5u);
  EXPECT_GE(counters.at("execs"), 5u);
  EXPECT_GE(counters.at("exits"), 5u);
  EXPECT_GT(counters.at("upcalls_syscall"), 50u);
  EXPECT_GT(counters.at("upcalls_page_fault"), 10u);
  EXPECT_GT(counters.at("page_faults_served"), 10u);
  EXPECT_EQ(counters.at("stray_device_accesses"), 0u);
  EXPECT_GT(reported.outcome.wall_seconds, 0);
  EXPECT_GT(reported.outcome.boot_seconds, 0);
}

}  // namespace
