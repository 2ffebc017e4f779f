// Host signals that come from outside, at any moment: to the process that runs, in user or kernel
// mode or between the two, and to parked ones. A tick is such a signal, and so is the launcher's
// word that the terminal has a new size. The guest's work comes out right all the same.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "tests/support/leaves_nothing.h"
#include "tests/support/started_guest.h"
#include "tests/support/tool.h"

namespace {

class Kicks : public support::LeavesNothing {};
INSTANTIATE_TEST_SUITE_P(Everywhere, Kicks, testing::ValuesIn(support::guest_places()),
                         [](const auto& info) { return support::test_name(info.param); });

/// How many signals the guest's processes were sent.
int kick_until_the_end(const support::StartedGuest& guest) {
  int sent = 0;
  while (guest.runs()) {
    const auto processes = guest.processes();
    for (int round = 0; round < 50; ++round)
      for (const auto& process : processes) {
        if (process.name == "guest-machine" && kill(process.pid, SIGPROF) == 0) ++sent;
        usleep(50);
      }
  }
  return sent;
}

/// What pipe-switch prints: how many bytes came back changed.
std::string line_of_pipe_switch(int count) {
  return "pipe-switch " + std::to_string(count) + "\n";
}

TEST_P(Kicks, HarmNobody) {
  const int count = GetParam().starts_with("baseline") ? 300 : 5000;
  // Before its first process is ready for them, a signal would be its end.
  support::StartedGuest guest(
      GetParam(), "echo ready; /workloads/micro-pipe-switch " + std::to_string(count) +
                      "; for i in 1 2 3; do /bin/busybox echo $i | /bin/busybox cat; done; exit 3");
  EXPECT_GT(kick_until_the_end(guest), 0);
  EXPECT_EQ(guest.status(), 3) << guest.said();
  EXPECT_EQ(guest.said(), "ready\n" + line_of_pipe_switch(count) + "1\n2\n3\n");
}

}  // namespace
