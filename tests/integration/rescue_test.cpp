// A host process of a machine is killed by somebody on the host. With one for each guest address
// space that is the end of the guest process that ran on it; one that was parked is replaced, and
// nobody in the guest notices. Otherwise it is the end of the machine, and the tool says why.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <map>

#include "tests/support/leaves_nothing.h"
#include "tests/support/process_list.h"
#include "tests/support/tool.h"
#include "vmi/address_map.h"

namespace {

using testing::HasSubstr;

/// The tool with a guest shell that runs `script`, started until it says "ready".
class Guest {
 public:
  Guest(const std::string& place, const std::string& script) {
    EXPECT_EQ(pipe2(ends_, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(input_, O_CLOEXEC), 0);
    tool_ = support::start_tool({"exec", "--on", place, "--memory", "64M", "--timeout", "60", "--",
                                 "/bin/busybox", "sh", "-c", script},
                                ends_[1], ends_[1], input_[0]);
    close(ends_[1]);
    close(input_[0]);
    while (said_.find("ready\n") == std::string::npos && read_some()) {
    }
  }
  ~Guest() {
    close(ends_[0]);
    close(input_[1]);
  }
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  [[nodiscard]] std::vector<support::Process> processes() const {
    return support::descendants(tool_);
  }
  /// Lets the script's `read` go on.
  void tell() const { EXPECT_EQ(write(input_[1], "\n", 1), 1); }
  /// To the end: the tool's exit status.
  int status() {
    while (read_some()) {
    }
    int status = 0;
    waitpid(tool_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  /// stdout and stderr.
  [[nodiscard]] const std::string& said() const { return said_; }

 private:
  bool read_some() {
    char block[4096];
    const ssize_t count = read(ends_[0], block, sizeof block);
    if (count > 0) said_.append(block, static_cast<std::size_t>(count));
    return count > 0;
  }

  int ends_[2]{}, input_[2]{};
  pid_t tool_ = -1;
  std::string said_;
};

/// Of a stopped process. /proc/PID/syscall is "-1 SP PC" outside of host calls.
bool is_in_guest_user_code(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/syscall");
  std::string call, stack, at;
  file >> call >> stack >> at;
  return call == "-1" && std::stoull(at, nullptr, 16) < vmi::user_end;
}

/// The host process of the guest process that spins, or -1. A state in /proc may be anybody's who
/// runs for a moment; only who spins goes on to use the CPU.
pid_t spinning(const Guest& guest) {
  constexpr long enough_ticks = 5;
  std::map<pid_t, long> before;
  for (int look = 0; look < 2000; ++look) {
    for (const auto& process : guest.processes()) {
      const auto first = before.emplace(process.pid, process.user_ticks).first->second;
      if (process.user_ticks - first >= enough_ticks) return process.pid;
    }
    usleep(5000);
  }
  return -1;
}

/// Kills the one that spins, in user mode.
bool kill_running(const Guest& guest) {
  const pid_t pid = spinning(guest);
  for (int attempt = 0; pid > 0 && attempt < 100; ++attempt) {
    kill(pid, SIGSTOP);
    usleep(20'000);
    const bool found = is_in_guest_user_code(pid);
    kill(pid, found ? SIGKILL : SIGCONT);
    if (found) return true;
  }
  return false;
}

/// Kills all but the one that spins; how many that were.
int kill_parked(const Guest& guest) {
  const pid_t running = spinning(guest);
  int killed = 0;
  for (const auto& process : guest.processes())
    if (process.pid != running && kill(process.pid, SIGKILL) == 0) ++killed;
  return running > 0 ? killed : 0;
}

class Rescue : public support::LeavesNothing {};
INSTANTIATE_TEST_SUITE_P(WithAPool, Rescue,
                         testing::Values("extended", "extended:trap=sigsys",
                                         "extended:protect=mmap", "extended:protect=none"),
                         [](const auto& info) { return support::test_name(info.param); });

constexpr const char* spin = "(while :; do :; done) & spin=$!; echo ready; wait $spin; ";

TEST_P(Rescue, TheRunningOnesGuestProcessEnds) {
  Guest guest(GetParam(), std::string("sleep 1000 & ") + spin +
                              "echo ended by $?; /bin/busybox echo more; kill %1; exit 3");
  ASSERT_TRUE(kill_running(guest));
  EXPECT_EQ(guest.status(), 3) << guest.said();
  EXPECT_THAT(guest.said(), HasSubstr("ended by 137\nmore\n"));
  EXPECT_THAT(guest.said(), HasSubstr("killed: a host process died under it"));
}

TEST_P(Rescue, ParkedOnesAreReplaced) {
  Guest guest(GetParam(),
              "sleep 1000 & (while :; do :; done) & echo ready; read word; kill %2; "
              "echo after; kill %1; (exit 7); echo $?; /bin/busybox echo more; exit 3");
  EXPECT_GE(kill_parked(guest), 2);
  guest.tell();
  EXPECT_EQ(guest.status(), 3) << guest.said();
  EXPECT_THAT(guest.said(), HasSubstr("ready\nafter\n7\nmore\n"));
}

TEST_P(Rescue, ManyTimes) {
  Guest guest(GetParam(), std::string("sleep 1000 & echo ready; for i in 0 1 2 3 4 5 6 7; do ") +
                              "(while :; do :; done); echo $?; done; exit 3");
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(kill_running(guest));
  EXPECT_EQ(guest.status(), 3) << guest.said();
}

TEST_P(Rescue, WithoutAnybodyLeftTheMachineEnds) {
  Guest guest(GetParam(), spin);
  EXPECT_GE(kill_parked(guest), 1);
  EXPECT_TRUE(kill_running(guest));
  EXPECT_EQ(guest.status(), 125);
  EXPECT_THAT(guest.said(), HasSubstr("killed by host signal 9"));
}

class LostMachine : public support::LeavesNothing {};
INSTANTIATE_TEST_SUITE_P(WithOneProcess, LostMachine,
                         testing::Values("baseline", "extended:spaces=remap"),
                         [](const auto& info) { return support::test_name(info.param); });

TEST_P(LostMachine, SaysWhy) {
  Guest guest(GetParam(), spin);
  for (const auto& process : guest.processes()) kill(process.pid, SIGKILL);
  EXPECT_EQ(guest.status(), 125);
  EXPECT_THAT(guest.said(), HasSubstr("killed"));
}

}  // namespace
