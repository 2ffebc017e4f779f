// Integration: stdin, stdout and stderr of a guest's first process are the tool's own, kept apart.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/tool.h"

namespace {

using support::ToolRun;

class Streams : public testing::TestWithParam<std::string> {
 protected:
  static ToolRun sh(const std::string& script, const support::Options& options = {}) {
    return support::exec(GetParam(), {"/bin/busybox", "sh", "-c", script},
                         {"--memory", "64M", "--timeout", "100"}, options);
  }
};

INSTANTIATE_TEST_SUITE_P(Everywhere, Streams, testing::ValuesIn(support::places()),
                         [](const auto& info) { return support::test_name(info.param); });

TEST_P(Streams, AreKeptApart) {
  const ToolRun run = sh("echo to stdout; echo to stderr >&2; echo again");
  EXPECT_EQ(run.out, "to stdout\nagain\n");
  EXPECT_EQ(run.err, "to stderr\n");
}

TEST_P(Streams, PassStdinUntilItsEnd) {
  support::Options options;
  options.input = "one\ntwo\nthree";
  EXPECT_EQ(sh("cat; echo; echo end", options).out, "one\ntwo\nthree\nend\n");
  options.input.clear();
  EXPECT_EQ(sh("cat; echo end", options).out, "end\n");
  options.input = "first\nsecond\n";
  EXPECT_EQ(sh("read a; read b; echo $b $a; read c || echo no more", options).out,
            "second first\nno more\n");
}

TEST_P(Streams, PassBinaryInputWhole) {
  support::Options options;
  for (unsigned i = 0; i < 1'000'000; ++i) {
    options.input += static_cast<char>(i * 2654435761u >> 24);
  }
  const ToolRun run = sh("cat", options);
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_TRUE(run.out == options.input)
      << "lengths " << run.out.size() << " and " << options.input.size();
}

TEST_P(Streams, PassTenMegabytesOut) {
  const ToolRun run = sh("dd if=/dev/zero bs=64k count=160 2>/dev/null | tr '\\0' x");
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(run.out.size(), 10u << 20);
  EXPECT_EQ(run.out.find_first_not_of('x'), std::string::npos);
}

/// What a program wrote before it ended is there for who reads later.
TEST_P(Streams, WhatWasWrittenAtTheEndWaitsForItsReader) {
  int out[2];
  ASSERT_EQ(pipe2(out, O_CLOEXEC), 0);
  const int room = fcntl(out[1], F_GETPIPE_SZ);
  ASSERT_GT(room, 0);
  const int bytes = room + 15'000;  // into the guest's ring, too
  const pid_t tool = support::start_tool(
      {"exec", "--on", GetParam(), "--memory", "64M", "--timeout", "60", "--", "/bin/busybox", "sh",
       "-c", "head -c " + std::to_string(bytes) + " /dev/zero"},
      out[1]);
  close(out[1]);
  usleep(300'000);
  std::string read_late;
  char text[4096];
  for (ssize_t got; (got = read(out[0], text, sizeof text)) > 0;) {
    read_late.append(text, static_cast<std::size_t>(got));
  }
  close(out[0]);
  int status = 0;
  waitpid(tool, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read_late.size(), static_cast<std::size_t>(bytes));
}

/// A stdout that is full stops who writes there, and nobody else: what another process of the guest
/// says on stderr meanwhile. `unread` is the end that is stdout, `reader` the one that nobody
/// reads.
void expect_others_run(const std::string& place, int unread, int reader) {
  int errors[2];
  ASSERT_EQ(pipe2(errors, O_CLOEXEC), 0);
  const pid_t tool = support::start_tool(
      {"exec", "--on", place, "--memory", "64M", "--timeout", "60", "--", "/bin/busybox", "sh",
       "-c", "yes & for i in 1 2 3; do sleep 0.2; echo tick $i >&2; done; kill -9 $!"},
      unread, errors[1]);
  close(unread);
  close(errors[1]);
  std::string said;
  char text[256];
  pollfd polled{errors[0], POLLIN, 0};
  while (said.find("tick 3") == std::string::npos && poll(&polled, 1, 30'000) == 1) {
    const ssize_t bytes = read(errors[0], text, sizeof text);
    if (bytes <= 0) break;
    said.append(text, static_cast<std::size_t>(bytes));
  }
  EXPECT_THAT(said, testing::HasSubstr("tick 3"));
  close(reader);
  close(errors[0]);
  kill(tool, SIGTERM);
  waitpid(tool, nullptr, 0);
}

TEST_P(Streams, AFullPipeStopsItsWriterAlone) {
  int out[2];
  ASSERT_EQ(pipe2(out, O_CLOEXEC), 0);
  expect_others_run(GetParam(), out[1], out[0]);
}

TEST_P(Streams, AStoppedTerminalStopsItsWriterAlone) {
  int master = -1, slave = -1;
  ASSERT_EQ(openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
  fcntl(master, F_SETFD, FD_CLOEXEC);
  expect_others_run(GetParam(), slave, master);
}

TEST_P(Streams, MeetAClosedStdoutAsNativeProgramsDo) {
  support::Options options;
  options.close_stdout = true;
  const ToolRun run = sh("trap '' PIPE; echo lost; echo status $? >&2", options);
  EXPECT_TRUE(run.in_time);
  EXPECT_THAT(run.err, testing::HasSubstr("status 1")) << run.describe();
}

TEST_P(Streams, EndAProgramThatWritesToNobody) {
  support::Options options;
  options.close_stdout = true;
  options.deadline = std::chrono::seconds(60);
  const ToolRun run =
      support::exec(GetParam(), {"/bin/busybox", "yes"}, {"--memory", "64M"}, options);
  EXPECT_TRUE(run.in_time);
  EXPECT_NE(run.status, 0) << run.describe();
}

}  // namespace
