// The executor with a script for the tool: streams, status, and what its CPU did.
#include "workloads/harness/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "machines/kinds.h"

namespace harness {
namespace {

using monitor::Config;
using testing::HasSubstr;

/// The real executor, with shell scripts in the tool's place.
class RealExecutor : public testing::Test {
 protected:
  RealExecutor() {
    char name[] = "/tmp/executor-test-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~RealExecutor() override { std::filesystem::remove_all(folder_); }

  LaunchResult launch(const std::string& script, double timeout = 20, int cpu = -1) {
    const std::string path = folder_ + "/tool";
    std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    ToolExecutor executor(path, cpu);
    return executor.launch({.on = machines::standalone(),
                            .add = {{"/a", "/b"}},
                            .environment = {"C=d e"},
                            .memory_bytes = 256ul << 20,
                            .timeout_seconds = timeout,
                            .program = {"/bin/true"}});
  }

  std::string folder_;
};

TEST_F(RealExecutor, KeepsStreamsApartAndPassesTheStatusOn) {
  const LaunchResult result = launch("echo \"$@\"; echo trouble >&2; exit 7");
  EXPECT_EQ(result.status, 7);
  EXPECT_EQ(result.out,
            "exec --on standalone --add /a:/b --env C=d e --memory 268435456 --fill ahead "
            "--timeout 20 --report /proc/self/fd/3 -- /bin/true\n");
  EXPECT_EQ(result.err, "trouble\n");
  EXPECT_FALSE(result.reported);
}

TEST_F(RealExecutor, KnowsWhatItsCpuDid) {
  EXPECT_FALSE(launch("true").cpu) << "no CPU was given";
  const auto cpu = launch("sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done'; sleep 0.2",
                          20, sched_getcpu())
                       .cpu;
  ASSERT_TRUE(cpu);
  EXPECT_GT(cpu->own_seconds, 0);
  EXPECT_GE(cpu->elapsed_seconds, 0.2);
  EXPECT_GE(cpu->waited_seconds, 0);
}

TEST_F(RealExecutor, TakesOutputLargerThanAPipe) {
  EXPECT_EQ(launch("head -c 1000000 /dev/zero").out.size(), 1'000'000u);
}

TEST_F(RealExecutor, AKilledToolHasAStatusOfItsOwn) {
  EXPECT_EQ(launch("kill -9 $$").status, 128 + SIGKILL);
}

TEST_F(RealExecutor, AMissingToolIsNamed) {
  ToolExecutor executor("/no/such/tool", -1);
  const LaunchResult result = executor.launch({.on = machines::standalone(),
                                               .memory_bytes = 1 << 20,
                                               .timeout_seconds = 5,
                                               .program = {"/bin/true"}});
  EXPECT_EQ(result.status, 125);
  EXPECT_THAT(result.err, HasSubstr("/no/such/tool"));
}

}  // namespace
}  // namespace harness
