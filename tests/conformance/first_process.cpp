// Conformance, the first process: the program that a machine is started with is process 2, a child
// of process 1, which also takes orphans in, and to which no signal means anything. What is printed
// here is compared; run as an ordinary program on a host, the numbers are others.
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "check.h"

/// What a line of /proc/PID/status says after `key`.
static long status_of(pid_t pid, const char* key) {
  char path[64], text[4096] = {};
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  const int file = open(path, O_RDONLY);
  if (file < 0) return -1;
  const bool any = read(file, text, sizeof text - 1) > 0;
  close(file);
  const char* line = any ? strstr(text, key) : nullptr;
  return line ? atol(line + strlen(key)) : -1;
}

TEST(the_first_programs_numbers) {
  const pid_t first = getppid(), above = (pid_t)status_of(first, "\nPPid:");
  check::say("first %d, its parent %d\n", first, above);
  check::say("group %d, session %d\n", getpgid(first), getsid(first));
  check::say("parent's parent %ld\n", status_of(above, "\nPPid:"));
  CHECK_EQ(getpgrp(), getpgid(first));
}

/// Starts a grandchild whose parent ends at once; what it reads from its end of a pipe, and then
/// writes, in `numbers`.
template <class Body>
static int start_orphan(Body body) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const int status = check::in_child([&] {
    const pid_t parent = getpid();
    check::start_child([&] {
      while (getppid() == parent) usleep(1000);
      const long told = body();
      return write(ends[1], &told, sizeof told) == sizeof told ? 0 : 1;
    });
    return 0;
  });
  CHECK_EXITED(status, 0);
  close(ends[1]);
  return ends[0];
}

static long read_number(int from) {
  long number = -1;
  REQUIRE(read(from, &number, sizeof number) == sizeof number);
  close(from);
  return number;
}

TEST(an_orphans_new_parent) {
  check::say("%ld\n", read_number(start_orphan([] { return (long)getppid(); })));
}

TEST(an_orphan_leaves_no_zombie) {
  const auto orphan = (pid_t)read_number(start_orphan([] { return (long)getpid(); }));
  while (kill(orphan, 0) == 0) usleep(1000);
  CHECK_EQ(errno, ESRCH);
  // Nor does one that was a zombie before its parent ended.
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  CHECK_EXITED(check::in_child([&] {
                 const pid_t child = check::start_child([] { return 3; });
                 siginfo_t info;
                 REQUIRE(waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0);
                 return write(ends[1], &child, sizeof child) == sizeof child ? 0 : 1;
               }),
               0);
  pid_t zombie = 0;
  REQUIRE(read(ends[0], &zombie, sizeof zombie) == sizeof zombie);
  while (kill(zombie, 0) == 0) usleep(1000);
  CHECK_EQ(errno, ESRCH);
}

/// On a host process 1 is its own, and must hear nothing of this: there the program that a test is
/// a child of is not process 2, which is the kernel's, or in a container process 1 is no "init".
static bool in_a_machine() {
  char name[8] = {};
  const int file = open("/proc/1/comm", O_RDONLY);
  const bool is_init = read(file, name, sizeof name - 1) > 0 && strcmp(name, "init\n") == 0;
  close(file);
  return is_init && getppid() == 2 && status_of(2, "\nPPid:") == 1;
}

TEST(no_signal_means_anything_to_process_1) {
  if (!in_a_machine()) return;
  for (int number : {0, SIGHUP, SIGINT, SIGTERM, SIGKILL, SIGSTOP, SIGUSR1, SIGSEGV, SIGRTMIN})
    CHECK_EQ(kill(1, number), 0);
  CHECK_EQ(syscall(SYS_tgkill, 1, 1, SIGKILL), 0);
  CHECK_EQ(syscall(SYS_tkill, 1, SIGTERM), 0);
  usleep(50'000);
  CHECK_EQ(kill(1, 0), 0);
  CHECK_ERRNO(kill(1, 65), EINVAL);
  CHECK_ERRNO(setpgid(1, 0), ESRCH);
  CHECK_ERRNO(waitpid(1, nullptr, WNOHANG), ECHILD);
}

TEST(others_may_not_even_try) {
  if (geteuid() != 0 || !in_a_machine()) return;
  REQUIRE(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
  CHECK_ERRNO(kill(1, SIGTERM), EPERM);
  CHECK_ERRNO(kill(1, 0), EPERM);
}

TEST(a_sibling_by_clone_parent) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t parent = getppid();
  const long made = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (made == 0) {
    const long told = getppid();
    _exit(write(ends[1], &told, sizeof told) == sizeof told ? 0 : 1);
  }
  REQUIRE(made > 0);
  close(ends[1]);
  CHECK_EQ(read_number(ends[0]), parent);
  CHECK_ERRNO(waitpid((pid_t)made, nullptr, 0), ECHILD);
}

TEST(a_parents_death_is_told_as_linux_tells_it) {
  int ends[2], ready[2];
  REQUIRE(pipe(ends) == 0 && pipe(ready) == 0);
  const pid_t parent = check::start_child([&] {
    check::start_child([&] {
      sigset_t awaited;
      sigemptyset(&awaited);
      sigaddset(&awaited, SIGUSR1);
      sigprocmask(SIG_BLOCK, &awaited, nullptr);
      REQUIRE(prctl(PR_SET_PDEATHSIG, SIGUSR1) == 0);
      const pid_t before = getppid();
      REQUIRE(write(ready[1], "", 1) == 1);
      siginfo_t info = {};
      REQUIRE(sigwaitinfo(&awaited, &info) == SIGUSR1);
      long told = info.si_code == SI_USER && info.si_pid == before && info.si_uid == getuid();
      return write(ends[1], &told, sizeof told) == sizeof told ? 0 : 1;
    });
    for (;;) pause();
    return 0;
  });
  char byte;
  REQUIRE(read(ready[0], &byte, 1) == 1);
  kill(parent, SIGKILL);
  REQUIRE(waitpid(parent, nullptr, 0) == parent);
  close(ends[1]);
  CHECK_EQ(read_number(ends[0]), 1);
}
