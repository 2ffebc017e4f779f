// A host process of a machine is killed by somebody on the host. With one for each guest address
// space that is the end of the guest process that ran on it; one that was parked is replaced, and
// nobody in the guest notices. Otherwise it is the end of the machine, and the tool says why. And
// the launcher kills none but these, whatever the machine says.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>
#include <map>

#include "extended-vmm/resident/image.h"
#include "tests/support/leaves_nothing.h"
#include "tests/support/started_guest.h"
#include "tests/support/tool.h"
#include "vmi/address_map.h"

namespace {

using support::StartedGuest;
using testing::HasSubstr;

/// Of a stopped process. /proc/PID/syscall is "-1 SP PC" outside of host calls.
bool is_in_guest_user_code(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/syscall");
  std::string call, stack, at;
  file >> call >> stack >> at;
  return call == "-1" && std::stoull(at, nullptr, 16) < vmi::user_end;
}

/// The host process of the guest process that spins, or -1. A state in /proc may be anybody's who
/// runs for a moment; only who spins goes on to use the CPU.
pid_t spinning(const StartedGuest& guest) {
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
bool kill_running(const StartedGuest& guest) {
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
int kill_parked(const StartedGuest& guest) {
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
  StartedGuest guest(GetParam(), std::string("sleep 1000 & ") + spin +
                                     "echo ended by $?; /bin/busybox echo more; kill %1; exit 3");
  ASSERT_TRUE(kill_running(guest));
  EXPECT_EQ(guest.status(), 3) << guest.said();
  EXPECT_THAT(guest.said(), HasSubstr("ended by 137\nmore\n"));
  EXPECT_THAT(guest.said(), HasSubstr("killed: a host process died under it"));
}

TEST_P(Rescue, ParkedOnesAreReplaced) {
  StartedGuest guest(GetParam(),
                     "sleep 1000 & (while :; do :; done) & echo ready; read word; kill %2; "
                     "echo after; kill %1; (exit 7); echo $?; /bin/busybox echo more; exit 3");
  EXPECT_GE(kill_parked(guest), 2);
  guest.tell();
  EXPECT_EQ(guest.status(), 3) << guest.said();
  EXPECT_THAT(guest.said(), HasSubstr("ready\nafter\n7\nmore\n"));
}

TEST_P(Rescue, ManyTimes) {
  StartedGuest guest(GetParam(),
                     std::string("sleep 1000 & echo ready; for i in 0 1 2 3 4 5 6 7; do ") +
                         "(while :; do :; done); echo $?; done; exit 3");
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(kill_running(guest));
  EXPECT_EQ(guest.status(), 3) << guest.said();
}

TEST_P(Rescue, WithoutAnybodyLeftTheMachineEnds) {
  StartedGuest guest(GetParam(), spin);
  EXPECT_GE(kill_parked(guest), 1);
  EXPECT_TRUE(kill_running(guest));
  EXPECT_EQ(guest.status(), 125);
  EXPECT_THAT(guest.said(), HasSubstr("killed by host signal 9"));
}

/// Says, where the machine says it, that `victim` is one of its processes.
bool forge_member(const StartedGuest& guest, std::uint32_t index, pid_t victim) {
  using extended::Member, extended::Members, extended::ResidentImage;
  const std::uint64_t at = vmi::resident_base - vmi::window_base +
                           offsetof(ResidentImage, members) + offsetof(Members, table) +
                           index * sizeof(Member) + offsetof(Member, pid);
  for (const auto& process : guest.processes()) {
    if (process.name != "guest-machine") continue;
    const int memory = open(("/proc/" + std::to_string(process.pid) + "/fd/3").c_str(), O_RDWR);
    const bool written = pwrite(memory, &victim, sizeof victim, at) == sizeof victim;
    close(memory);
    return written;
  }
  return false;
}

TEST_P(Rescue, AForgedPidIsNotKilled) {
  const pid_t victim = fork();
  if (victim == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) pause();
  }
  {
    StartedGuest guest(GetParam(), "echo ready; read word; exit 3");
    ASSERT_TRUE(forge_member(guest, extended::most_members - 1, victim));
    guest.tell();
    EXPECT_EQ(guest.status(), 3) << guest.said();
  }
  EXPECT_EQ(waitpid(victim, nullptr, WNOHANG), 0) << "killed by the launcher";
  kill(victim, SIGKILL);
  waitpid(victim, nullptr, 0);
}

class LostMachine : public support::LeavesNothing {};
INSTANTIATE_TEST_SUITE_P(WithOneProcess, LostMachine,
                         testing::Values("baseline", "extended:spaces=remap"),
                         [](const auto& info) { return support::test_name(info.param); });

TEST_P(LostMachine, SaysWhy) {
  StartedGuest guest(GetParam(), spin);
  for (const auto& process : guest.processes()) kill(process.pid, SIGKILL);
  EXPECT_EQ(guest.status(), 125);
  EXPECT_THAT(guest.said(), HasSubstr("killed"));
}

}  // namespace
