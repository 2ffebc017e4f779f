// Host signals that come from outside, at any moment: to the process that runs, in user or kernel
// mode or between the two, and to parked ones. A tick is such a signal, and so is the launcher's
// word that the terminal has a new size. The guest's work comes out right all the same.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/leaves_nothing.h"
#include "tests/support/process_list.h"
#include "tests/support/tool.h"

namespace {

class Kicks : public support::LeavesNothing {};
INSTANTIATE_TEST_SUITE_P(Everywhere, Kicks, testing::ValuesIn(support::guest_places()),
                         [](const auto& info) { return support::test_name(info.param); });

/// Until `tool` has ended: its exit status, and how many signals its processes were sent.
struct Storm {
  int status = -1, sent = 0;
};
Storm kick_until_the_end(pid_t tool) {
  Storm storm;
  int status = 0;
  while (waitpid(tool, &status, WNOHANG) == 0) {
    const auto processes = support::descendants(tool);
    for (int round = 0; round < 50; ++round)
      for (const auto& process : processes) {
        if (process.name == "guest-machine" && kill(process.pid, SIGPROF) == 0) ++storm.sent;
        usleep(50);
      }
  }
  storm.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return storm;
}

bool read_some(int fd, std::string& to) {
  char block[4096];
  const ssize_t bytes = read(fd, block, sizeof block);
  if (bytes > 0) to.append(block, static_cast<std::size_t>(bytes));
  return bytes > 0;
}

/// What pipe-switch prints: each byte came back changed.
std::string line_of_pipe_switch(int count) {
  int sum = 0;
  for (int i = 0; i < count; ++i) sum += static_cast<unsigned char>(i * 3 + 1);
  return "pipe-switch " + std::to_string(sum) + "\n";
}

TEST_P(Kicks, HarmNobody) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const int count = GetParam().starts_with("baseline") ? 300 : 5000;
  const pid_t tool = support::start_tool(
      {"exec", "--on", GetParam(), "--memory", "64M", "--timeout", "60", "--", "/bin/busybox", "sh",
       "-c",
       "echo ready; /workloads/micro-pipe-switch " + std::to_string(count) +
           "; for i in 1 2 3; do /bin/busybox echo $i | /bin/busybox cat; done; exit 3"},
      ends[1], ends[1]);
  close(ends[1]);
  // Before its first process is ready for them, a signal would be its end.
  std::string said;
  while (said.find("ready\n") == std::string::npos && read_some(ends[0], said)) {
  }
  const Storm storm = kick_until_the_end(tool);
  while (read_some(ends[0], said)) {
  }
  close(ends[0]);
  EXPECT_EQ(storm.status, 3) << said;
  EXPECT_EQ(said, "ready\n" + line_of_pipe_switch(count) + "1\n2\n3\n");
  EXPECT_GT(storm.sent, 0);
}

}  // namespace
