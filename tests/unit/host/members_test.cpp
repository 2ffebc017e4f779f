// The launcher's view of a machine's processes, with a table that somebody else has written: what
// it kills, waits for and takes for the running one are its own guest-machine processes and nobody
// else.
#include "extended-vmm/spaces/members.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <memory>

namespace extended {
namespace {

/// A child that sleeps, with the name of a guest-machine process or another one.
pid_t start(const char* name = "guest-machine") {
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, name);
    raise(SIGSTOP);
    for (;;) pause();
  }
  waitpid(pid, nullptr, WUNTRACED);  // it has its name now
  kill(pid, SIGCONT);
  return pid;
}

/// Somebody else's process: a grandchild.
class Stranger {
 public:
  Stranger() {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    parent_ = fork();
    if (parent_ == 0) {
      pid_ = start();
      if (write(ends[1], &pid_, sizeof pid_) < 0) _exit(1);
      for (;;) pause();
    }
    EXPECT_EQ(read(ends[0], &pid_, sizeof pid_), static_cast<ssize_t>(sizeof pid_));
    close(ends[0]);
    close(ends[1]);
  }
  ~Stranger() {
    kill(parent_, SIGKILL);
    waitpid(parent_, nullptr, 0);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool lives() const { return kill(pid_, 0) == 0; }

 private:
  pid_t parent_ = 0, pid_ = 0;
};

bool is_reaped(pid_t pid) {
  return kill(pid, 0) != 0;
}

struct MembersTest : testing::Test {
  std::unique_ptr<Members> members = std::make_unique<Members>();
  const std::atomic<std::uint32_t> in_user{0}, in_kernel{1};
  const pid_t first = start();
  MachineProcesses processes{*members, first};
  MembersTest() { members->table[0].turn = turn_at_work; }
  Member& at(std::uint32_t index) { return members->table[index]; }
};

TEST_F(MembersTest, EndsAllThatAreItsOwn) {
  const pid_t second = start();
  at(1).pid = second;
  const int status = processes.end();
  EXPECT_TRUE(is_reaped(first));
  EXPECT_TRUE(is_reaped(second));
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  EXPECT_EQ(at(1).pid, pid_gone);
}

TEST_F(MembersTest, ForgedPidsAreLeftAlone) {
  const Stranger stranger;
  const pid_t other_child = start("a helper");
  const pid_t forged[] = {stranger.pid(),
                          getpid(),
                          getppid(),
                          other_child,
                          1,
                          0,
                          -1,
                          -getpid(),
                          static_cast<pid_t>(0x80000000)};
  std::uint32_t index = 1;
  for (const pid_t pid : forged) at(index++).pid = pid;
  EXPECT_EQ(processes.look_after(in_user), Care::goes_on);
  processes.end();
  EXPECT_TRUE(is_reaped(first));
  EXPECT_TRUE(stranger.lives());
  EXPECT_EQ(waitpid(other_child, nullptr, WNOHANG), 0);
  kill(other_child, SIGKILL);
  waitpid(other_child, nullptr, 0);
}

TEST_F(MembersTest, AForgedPidDoesNotRun) {
  const Stranger stranger;
  for (const pid_t pid : {stranger.pid(), getpid(), 1, -1, 0}) {
    at(0).pid = pid;
    EXPECT_EQ(processes.running(), pid_gone);
    processes.signal_running(SIGKILL);
  }
  EXPECT_TRUE(stranger.lives());
  at(0).pid = first;
  EXPECT_EQ(processes.running(), first);
}

TEST_F(MembersTest, AnIndexBeyondTheTableIsBounded) {
  members->running = 0xffffffff;
  members->made = 0xffffffff;
  EXPECT_EQ(processes.running(), pid_gone);
  processes.look_after(in_user);
  processes.end();
  EXPECT_TRUE(is_reaped(first));
}

TEST_F(MembersTest, OneThatIsNotInTheTableEndsToo) {
  const pid_t hidden = start();
  at(0).pid = 0;
  processes.end();
  EXPECT_TRUE(is_reaped(first));
  EXPECT_TRUE(is_reaped(hidden));
}

TEST_F(MembersTest, ARescueByNobodyDoesNotKeepTheMachineAlive) {
  at(3).turn = turn_rescue;
  at(4).turn = turn_rescue;
  at(4).pid = getppid();
  kill(first, SIGKILL);
  while (processes.running() == first) EXPECT_NE(processes.look_after(in_kernel), Care::look_again);
  EXPECT_EQ(processes.look_after(in_kernel), Care::ended);
  processes.end();
}

TEST_F(MembersTest, OnePidInManySlotsIsOneProcess) {
  for (std::uint32_t i = 0; i < most_members; ++i) at(i).pid = first;
  processes.end();
  EXPECT_TRUE(is_reaped(first));
  for (std::uint32_t i = 0; i < most_members; ++i) EXPECT_EQ(at(i).pid, pid_gone);
}

TEST_F(MembersTest, WhatATracerReapedIsLetGo) {
  kill(first, SIGKILL);
  waitpid(first, nullptr, 0);
  rusage usage{};
  processes.reaped_first(usage);
  processes.end();
  EXPECT_EQ(at(0).pid, pid_gone);
}

TEST_F(MembersTest, AParkedOneIsCalledToRescue) {
  const pid_t second = start();
  at(1).pid = second;
  kill(first, SIGKILL);
  while (processes.running() == first) processes.look_after(in_user);
  EXPECT_EQ(at(1).turn, turn_rescue);
  EXPECT_EQ(processes.look_after(in_user), Care::goes_on);
  processes.end();
  EXPECT_TRUE(is_reaped(second));
}

}  // namespace
}  // namespace extended
