// The observer with made-up guest-machine processes: ordinary children that make a few host calls
// under a seccomp filter of their own.
#include "monitor/guest/observer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include "monitor/tool/error.h"
#include "vmi/shared_info.h"

namespace monitor {
namespace {

volatile sig_atomic_t signals_seen = 0;

void count_signal(int) {
  signals_seen = signals_seen + 1;
}

/// All six arguments defined, so that identical calls look identical.
void call(long number, long first = 0, long second = 0) {
  syscall(number, first, second, 0, 0, 0, 0);
}

/// SIGSYS instead of getppid.
void trap_getppid() {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program{std::size(code), code};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) _exit(99);
}

class ObserverTest : public testing::Test {
 protected:
  template <class F>
  pid_t start(F body) {
    pid_t child = fork();
    if (child == 0) {
      Observer::wait_for_observer();
      body();
      _exit(7);
    }
    return child;
  }
  /// Runs `body` observed, to its end.
  template <class F>
  int run(F body) {
    pid_t child = start(body);
    observer.attach(child);
    auto end = observer.watch(child, std::nullopt);
    EXPECT_TRUE(end.has_value());
    return end ? end->status : -1;
  }
  std::vector<ObservedCall> calls(std::uint64_t number) {
    std::vector<ObservedCall> list;
    for (const ObservedCall& call : observer.report()) {
      if (call.number == number) list.push_back(call);
    }
    return list;
  }

  vmi::SharedInfo shared{};
  int asked = 0;
  Observer observer{[this](pid_t) { return shared.in_kernel.load() != 0; },
                    [this](const ObservedCall& call) {
                      ++asked;
                      return call.number != SYS_getuid;
                    }};
};

TEST_F(ObserverTest, ReportsCallsWithTheirArgumentsFolded) {
  int status = run([] {
    for (int i = 0; i < 5; ++i) call(SYS_getpriority, 1, 2);
    call(SYS_getpriority, 1, 3);
  });
  EXPECT_EQ(WEXITSTATUS(status), 7);
  auto seen = calls(SYS_getpriority);
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].arguments[1], 2u);
  EXPECT_EQ(seen[0].count, 5u);
  EXPECT_EQ(seen[1].count, 1u);
  EXPECT_EQ(seen[0].arch, static_cast<std::uint32_t>(AUDIT_ARCH_X86_64));
  EXPECT_NE(seen[0].ip, 0u);
  EXPECT_FALSE(seen[0].in_kernel);
  EXPECT_TRUE(seen[0].allowed);
}

TEST_F(ObserverTest, ReportsACallThatHasNotReturned) {
  const pid_t child = start([] { call(SYS_pause, 4711); });
  observer.attach(child);
  while (calls(SYS_pause).empty()) EXPECT_FALSE(observer.watch(child, 0.01));
  const auto seen = calls(SYS_pause);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].count, 1u);
  EXPECT_EQ(seen[0].arguments[0], 4711u);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

TEST_F(ObserverTest, AsksTheRulesAtEachCall) {
  run([] {
    for (int i = 0; i < 50; ++i) call(SYS_getuid);
  });
  auto seen = calls(SYS_getuid);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].count, 50u);
  EXPECT_FALSE(seen[0].allowed);
  EXPECT_GE(asked, 50);
}

/// What was allowed once, before the guest ran, need not be so later.
TEST_F(ObserverTest, KeepsApartWhatWasAllowedAndWhatWasNot) {
  Observer changing{[](pid_t) { return false; },
                    [count = 0](const ObservedCall& call) mutable {
                      return call.number != SYS_getuid || ++count <= 2;
                    }};
  const pid_t child = start([] {
    for (int i = 0; i < 5; ++i) call(SYS_getuid);
  });
  changing.attach(child);
  changing.watch(child, std::nullopt);
  std::map<bool, std::uint64_t> counts;
  for (const ObservedCall& call : changing.report())
    if (call.number == SYS_getuid) counts[call.allowed] += call.count;
  EXPECT_EQ(counts[true], 2u);
  EXPECT_EQ(counts[false], 3u);
}

TEST_F(ObserverTest, SeparatesWhatTheFilterTrapped) {
  int status = run([] {
    struct sigaction action {};
    action.sa_handler = count_signal;
    sigaction(SIGSYS, &action, nullptr);
    trap_getppid();
    for (int i = 0; i < 3; ++i) syscall(SYS_getppid);
    _exit(signals_seen);
  });
  EXPECT_EQ(WEXITSTATUS(status), 3);
  EXPECT_EQ(observer.trapped(), 3u);
  EXPECT_TRUE(calls(SYS_getppid).empty());
  EXPECT_FALSE(calls(SYS_rt_sigreturn).empty());
}

TEST_F(ObserverTest, ASigsysThatNobodysFilterMadeIsNoTrap) {
  run([] {
    signal(SIGSYS, count_signal);
    syscall(SYS_getpid);
    syscall(SYS_kill, syscall(SYS_getpid), SIGSYS);
  });
  EXPECT_EQ(observer.trapped(), 0u);
  EXPECT_EQ(calls(SYS_kill).size(), 1u);
}

TEST_F(ObserverTest, ATrapWithoutHandlerIsTheProcessesEnd) {
  int status = run([] {
    trap_getppid();
    syscall(SYS_getppid);
  });
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGSYS);
  EXPECT_EQ(observer.trapped(), 1u);
}

TEST_F(ObserverTest, PassesSignalsUnchanged) {
  int status = run([] {
    for (int number : {SIGUSR1, SIGCHLD, SIGTRAP, SIGSEGV}) {
      signal(number, count_signal);
      raise(number);
    }
    _exit(signals_seen);
  });
  EXPECT_EQ(WEXITSTATUS(status), 4);
}

TEST_F(ObserverTest, AStoppedProcessGoesOnWhenContinued) {
  pid_t child = start([] { raise(SIGSTOP); });
  observer.attach(child);
  std::atomic<bool> over = false;
  std::thread continuer([&] {
    // Once would do, if it were known to come after the stop.
    while (!over) {
      kill(child, SIGCONT);
      usleep(1000);
    }
  });
  auto end = observer.watch(child, std::nullopt);
  over = true;
  continuer.join();
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(WEXITSTATUS(end->status), 7);
}

TEST_F(ObserverTest, NotesWhetherTheWindowIsOpen) {
  shared.in_kernel = 1;
  run([] { call(SYS_getpriority, 1, 2); });
  auto seen = calls(SYS_getpriority);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_TRUE(seen[0].in_kernel);
}

TEST_F(ObserverTest, FollowsClones) {
  run([] {
    pid_t child = fork();
    if (child == 0) {
      syscall(SYS_getpriority, 1, 5);
      _exit(0);
    }
    waitpid(child, nullptr, 0);
  });
  EXPECT_EQ(calls(SYS_getpriority).size(), 1u);
}

TEST_F(ObserverTest, ReportsAKilledProcess) {
  int status = run([] { kill(getpid(), SIGKILL); });
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST_F(ObserverTest, GivesUpAtTheTimeLimit) {
  pid_t child = start([] {
    for (;;) pause();
  });
  observer.attach(child);
  EXPECT_FALSE(observer.watch(child, 0.05).has_value());
  kill(child, SIGKILL);
  auto end = observer.watch(child, std::nullopt);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(WTERMSIG(end->status), SIGKILL);
}

TEST_F(ObserverTest, AChildThatEndsFirstIsAnError) {
  pid_t child = fork();
  if (child == 0) _exit(3);
  EXPECT_THROW(observer.attach(child), HostError);
}

}  // namespace
}  // namespace monitor
