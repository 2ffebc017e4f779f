// Conformance, processes: fork, exit, wait, zombies, orphans, vfork.
#include <sys/mman.h>
#include <sys/syscall.h>

#include "check.h"

TEST(fork_gives_each_side_its_pid) {
  pid_t parent = getpid();
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  pid_t child = fork();
  if (child == 0) {
    pid_t facts[2] = {getpid(), getppid()};
    _exit(write(ends[1], facts, sizeof facts) == sizeof facts ? 0 : 1);
  }
  CHECK(child > 0);
  pid_t facts[2] = {};
  CHECK_EQ(read(ends[0], facts, sizeof facts), sizeof facts);
  CHECK_EQ(facts[0], child);
  CHECK_EQ(facts[1], parent);
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EXITED(status, 0);
}

TEST(exit_statuses_are_eight_bits) {
  for (int code : {0, 1, 7, 127, 128, 255})
    CHECK_EXITED(check::in_child([&] { return code; }), code);
  CHECK_EXITED(check::in_child([] { return 256 + 3; }), 3);
  CHECK_EXITED(check::in_child([] { return -1; }), 255);
}

TEST(killed_children_name_their_signal) {
  for (int number : {SIGKILL, SIGTERM, SIGINT, SIGUSR1, SIGALRM, SIGHUP}) {
    CHECK_KILLED(check::in_child([&] { return raise(number); }), number);
  }
  CHECK_EQ(WTERMSIG(check::in_child([] {
             abort();
             return 0;
           })),
           SIGABRT);
}

TEST(wait_without_children_fails) {
  CHECK_ERRNO(wait(nullptr), ECHILD);
  CHECK_ERRNO(waitpid(-1, nullptr, WNOHANG), ECHILD);
  CHECK_ERRNO(waitpid(999999, nullptr, 0), ECHILD);
  CHECK_ERRNO(waitpid(getpid(), nullptr, 0), ECHILD);
  CHECK_ERRNO(waitpid(-1, nullptr, 0x40000), EINVAL);
}

TEST(wait_takes_the_child_it_names) {
  pid_t first = check::start_child([] { return 1; });
  pid_t second = check::start_child([] { return 2; });
  int status = 0;
  CHECK_EQ(waitpid(second, &status, 0), second);
  CHECK_EXITED(status, 2);
  CHECK_ERRNO(waitpid(second, &status, 0), ECHILD);
  CHECK_EQ(waitpid(first, &status, 0), first);
  CHECK_EXITED(status, 1);
}

TEST(wnohang_does_not_wait) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  pid_t child = check::start_child([&] {
    char byte;
    close(ends[1]);
    return (int)read(ends[0], &byte, 1);
  });
  int status = 77;
  CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
  CHECK_EQ(write(ends[1], "x", 1), 1);
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EXITED(status, 1);
}

TEST(a_zombie_keeps_its_pid_until_waited_for) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  pid_t child = check::start_child([] { return 5; });
  close(ends[1]);
  char byte;
  CHECK_EQ(read(ends[0], &byte, 1), 0);  // end of file: the child has closed its descriptors
  CHECK_EQ(kill(child, 0), 0);
  CHECK_EQ(kill(child, SIGKILL), 0);  // harmless: it is dead already
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFEXITED(status) || WIFSIGNALED(status));
  CHECK_ERRNO(kill(child, 0), ESRCH);
}

TEST(orphans_get_a_new_parent) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  int status = check::in_child([&] {
    pid_t parent = getpid();
    if (fork() == 0) {
      while (getppid() == parent) usleep(1000);
      _exit(write(ends[1], "o", 1) == 1 ? 0 : 1);
    }
    return 0;
  });
  CHECK_EXITED(status, 0);
  close(ends[1]);
  char byte = 0;
  CHECK_EQ(read(ends[0], &byte, 1), 1);
  CHECK_EQ(byte, 'o');
}

TEST(fifty_children_at_once) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  for (int i = 0; i < 50; ++i) {
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      char byte;
      close(ends[1]);
      _exit(read(ends[0], &byte, 1) == 0 ? i : 200);
    }
  }
  close(ends[1]);  // releases them all
  int sum = 0, count = 0, status;
  while (wait(&status) > 0) {
    CHECK(WIFEXITED(status));
    sum += WEXITSTATUS(status);
    ++count;
  }
  CHECK_EQ(errno, ECHILD);
  CHECK_EQ(count, 50);
  CHECK_EQ(sum, 50 * 49 / 2);
}

static int nest(int depth) {
  if (depth == 0) return 1;
  return 1 + WEXITSTATUS(check::in_child([&] { return nest(depth - 1); }));
}

TEST(twenty_generations) {
  CHECK_EQ(nest(20), 21);
}

TEST(three_hundred_one_after_another) {
  for (int i = 0; i < 300; ++i) CHECK_EXITED(check::in_child([&] { return i & 63; }), i & 63);
}

TEST(vfork_shares_memory_and_suspends_the_parent) {
  volatile int seen = 0;
  pid_t child = vfork();
  if (child == 0) {
    seen = 41;
    seen = seen + 1;
    _exit(9);
  }
  CHECK_EQ(seen, 42);
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EXITED(status, 9);
}

TEST(groups_and_sessions) {
  CHECK_EXITED(check::in_child([] {
                 CHECK_EQ(setpgid(0, 0), 0);
                 CHECK_EQ(getpgrp(), getpid());
                 CHECK_EQ(getpgid(0), getpid());
                 return 0;
               }),
               0);
  CHECK_EXITED(check::in_child([] {
                 CHECK_EQ(setsid(), getpid());
                 CHECK_EQ(getsid(0), getpid());
                 CHECK_ERRNO(setsid(), EPERM);
                 return 0;
               }),
               0);
  CHECK_EXITED(check::in_child([] {  // wait by group
                 pid_t child = fork();
                 if (child == 0) _exit(setpgid(0, 0) == 0 ? 4 : 5);
                 setpgid(child, child);
                 int status = 0;
                 CHECK_EQ(waitpid(-child, &status, 0), child);
                 CHECK_EXITED(status, 4);
                 return 0;
               }),
               0);
}

TEST(descriptors_are_shared_by_fork) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  CHECK_EXITED(check::in_child([&] { return write(ends[1], "ab", 2) == 2 ? 0 : 1; }), 0);
  char bytes[4];
  CHECK_EQ(read(ends[0], bytes, 4), 2);
  CHECK_EXITED(check::in_child([&] { return close(ends[0]); }), 0);
  CHECK_EQ(write(ends[1], "c", 1), 1);  // closing in the child does not close here
  CHECK_EQ(read(ends[0], bytes, 4), 1);
}

TEST(sigkill_reaches_a_sleeping_and_a_blocked_child) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  pid_t sleeper = check::start_child([] { return (int)sleep(100); });
  pid_t reader = check::start_child([&] {
    char byte;
    return (int)read(ends[0], &byte, 1);
  });
  usleep(20000);
  CHECK_EQ(kill(sleeper, SIGKILL), 0);
  CHECK_EQ(kill(reader, SIGKILL), 0);
  int status;
  CHECK_EQ(waitpid(sleeper, &status, 0), sleeper);
  CHECK_KILLED(status, SIGKILL);
  CHECK_EQ(waitpid(reader, &status, 0), reader);
  CHECK_KILLED(status, SIGKILL);
}
