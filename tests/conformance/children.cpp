// Conformance, what is between parents and children: who is told of what, which children wait looks
// at, and groups after execve.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "process_state.h"

namespace {

void block(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
}

bool is_pending(int signal) {
  sigset_t set;
  sigpending(&set);
  return sigismember(&set, signal);
}

pid_t start_sleeper() {
  return check::start_child([]() -> int {
    for (;;) pause();
  });
}

void end(pid_t child) {
  kill(child, SIGKILL);
  CHECK_EQ(waitpid(child, nullptr, __WALL), child);
}

/// A child whose parent is to hear of its end by another signal than SIGCHLD, or by none.
pid_t clone_with(int signal) {
  const auto child = (pid_t)syscall(SYS_clone, signal, 0, 0, 0, 0);
  if (child == 0) _exit(3);
  return child;
}

}  // namespace

int helper(int argc, char**) {
  while (argc > 0) pause();
  return 5;
}

TEST(who_ignores_sigchld_is_told_nothing_even_if_it_is_blocked) {
  signal(SIGCHLD, SIG_IGN);
  block(SIGCHLD);
  check::start_child([] { return 0; });
  CHECK_ERRNO(waitpid(-1, nullptr, 0), ECHILD);
  CHECK(!is_pending(SIGCHLD));
  const pid_t child = start_sleeper();
  kill(child, SIGSTOP);
  CHECK_EQ(waitpid(child, nullptr, WUNTRACED), child);
  kill(child, SIGCONT);
  CHECK_EQ(waitpid(child, nullptr, WCONTINUED), child);
  CHECK(!is_pending(SIGCHLD));
  kill(child, SIGKILL);
  CHECK_ERRNO(waitpid(child, nullptr, 0), ECHILD);
}

TEST(a_stop_makes_an_unreported_continuation_undone) {
  const pid_t child = start_sleeper();
  kill(child, SIGSTOP);
  CHECK_EQ(waitpid(child, nullptr, WUNTRACED), child);
  kill(child, SIGCONT);
  wait_for_state(child, 'S');
  kill(child, SIGSTOP);
  wait_for_state(child, 'T');
  CHECK_EQ(waitpid(child, nullptr, WCONTINUED | WNOHANG), 0);
  CHECK_EQ(waitpid(child, nullptr, WUNTRACED | WNOHANG), child);
  CHECK_EQ(waitpid(child, nullptr, WCONTINUED | WNOHANG), 0);
  end(child);
}

TEST(wait_looks_at_children_of_one_kind) {
  signal(SIGUSR1, SIG_IGN);
  for (int told_by : {0, SIGUSR1}) {
    int status = -1;
    const pid_t child = clone_with(told_by);
    CHECK_ERRNO(waitpid(child, nullptr, 0), ECHILD);
    CHECK_ERRNO(waitpid(-1, nullptr, 0), ECHILD);
    CHECK_EQ(waitpid(child, &status, __WCLONE), child);
    CHECK_EXITED(status, 3);
    const pid_t other = clone_with(told_by);
    CHECK_EQ(waitpid(-1, nullptr, __WALL), other);
  }
  const pid_t child = check::start_child([] { return 0; });
  CHECK_ERRNO(waitpid(child, nullptr, __WCLONE), ECHILD);
  CHECK_EQ(waitpid(child, nullptr, __WALL | __WCLONE), child);
}

TEST(execve_makes_a_child_one_of_the_usual_kind) {
  const auto child = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);
  if (child == 0) {
    execl(check::self_path, check::self_path, "--helper", nullptr);
    _exit(9);
  }
  siginfo_t info;
  CHECK_EQ(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT | __WALL), 0);
  CHECK_EQ(info.si_status, 5);
  CHECK_EQ(waitpid(child, nullptr, 0), child);
}

TEST(there_is_nothing_to_wait_for_with_a_zombie_that_is_not_asked_for) {
  const pid_t child = check::start_child([] { return 0; });
  siginfo_t info;
  CHECK_EQ(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
  CHECK_ERRNO(waitid(P_PID, (id_t)child, &info, WSTOPPED), ECHILD);
  CHECK_ERRNO(waitid(P_ALL, 0, &info, WSTOPPED | WCONTINUED | WNOHANG), ECHILD);
  const pid_t other = start_sleeper();
  CHECK_EQ(waitid(P_ALL, 0, &info, WSTOPPED | WNOHANG), 0);
  end(other);
  CHECK_EQ(waitpid(child, nullptr, 0), child);
}

TEST(a_death_signal_names_who_died) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t middle = check::start_child([&] {
    block(SIGUSR1);
    const pid_t parent = getpid();
    const pid_t leaf = check::start_child([&] {
      prctl(PR_SET_PDEATHSIG, SIGUSR1);
      CHECK_EQ(write(ends[1], "x", 1), 1);
      sigset_t all;
      sigfillset(&all);
      siginfo_t info;
      CHECK_EQ(sigwaitinfo(&all, &info), SIGUSR1);
      CHECK_EQ(info.si_code, SI_USER);
      CHECK_EQ(info.si_pid, parent);
      return check::failures ? 1 : (int)!write(ends[1], "y", 1);
    });
    char byte;
    return leaf > 0 && read(ends[0], &byte, 1) == 1 ? 0 : 1;
  });
  close(ends[1]);
  CHECK_EQ(waitpid(middle, nullptr, 0), middle);
  char byte = 0;
  CHECK_EQ(read(ends[0], &byte, 1), 1);
  CHECK_EQ(byte, 'y');
}

TEST(after_execve_a_child_stays_in_its_group) {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const pid_t child = fork();
  if (child == 0) {
    execl(check::self_path, check::self_path, "--helper", "sleep", nullptr);
    _exit(9);
  }
  close(ends[1]);
  char byte;
  CHECK_EQ(read(ends[0], &byte, 1), 0);
  CHECK_ERRNO(setpgid(child, getpgrp()), EACCES);
  CHECK_ERRNO(setpgid(child, 0), EACCES);
  end(child);
}

TEST(who_is_sought_before_the_signal_is_looked_at) {
  constexpr pid_t nobody = 999999;
  constexpr int no_signal = 100;
  siginfo_t info{};
  info.si_code = SI_QUEUE;
  CHECK_ERRNO(kill(nobody, no_signal), ESRCH);
  CHECK_ERRNO(kill(-nobody, no_signal), ESRCH);
  CHECK_ERRNO(kill(INT32_MIN, no_signal), ESRCH);
  CHECK_ERRNO(syscall(SYS_tkill, nobody, no_signal), ESRCH);
  CHECK_ERRNO(syscall(SYS_tgkill, nobody, nobody, no_signal), ESRCH);
  CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, nobody, no_signal, &info), ESRCH);
  CHECK_ERRNO(kill(getpid(), no_signal), EINVAL);
  CHECK_ERRNO(kill(0, no_signal), EINVAL);
  CHECK_ERRNO(syscall(SYS_tkill, -1, no_signal), EINVAL);
  CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, getpid(), no_signal, &info), EINVAL);
}
