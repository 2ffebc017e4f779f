// Conformance, ids: one space of numbers for processes, threads, groups and sessions.
#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include "check.h"

namespace {

/// A child that waits in `body` until it is let go.
struct Held {
  template <class Body>
  explicit Held(Body body) {
    int ends[2], done[2];
    REQUIRE(pipe(ends) == 0 && pipe(done) == 0);
    pid = check::start_child([&] {
      int value = body();
      char c = 0;
      if (write(done[1], &c, 1) != 1) return 71;
      (void)!read(ends[0], &c, 1);
      return value;
    });
    close(ends[0]);
    close(done[1]);
    char c;
    REQUIRE(read(done[0], &c, 1) == 1);
    close(done[0]);
    hold = ends[1];
  }
  int let_go() {
    char c = 0;
    CHECK_EQ(write(hold, &c, 1), 1);  // others may hold it open, too
    int status = -1;
    waitpid(pid, &status, 0);
    close(hold);
    return status;
  }
  pid_t pid;
  int hold;
};

}  // namespace

TEST(a_process_is_its_first_thread) {
  CHECK_EQ(syscall(SYS_gettid), getpid());
  CHECK_EQ(syscall(SYS_tgkill, getpid(), getpid(), 0), 0);
  CHECK_EQ(syscall(SYS_tkill, getpid(), 0), 0);
  CHECK_ERRNO(syscall(SYS_tgkill, getppid(), getpid(), 0), ESRCH);
  CHECK_ERRNO(syscall(SYS_tgkill, getpid(), 999999, 0), ESRCH);
  CHECK_ERRNO(syscall(SYS_tgkill, 0, getpid(), 0), EINVAL);
}

TEST(a_group_outlives_its_leader) {
  Held leader([] { return setpgid(0, 0); });
  Held member([] { return 0; });
  CHECK_EQ(setpgid(member.pid, leader.pid), 0);
  CHECK_EXITED(leader.let_go(), 0);
  CHECK_EQ(getpgid(member.pid), leader.pid);
  CHECK_EQ(kill(-leader.pid, 0), 0);
  CHECK_ERRNO(kill(leader.pid, 0), ESRCH);
  CHECK_ERRNO(getpgid(leader.pid), ESRCH);
  // One may still join it.
  Held third([] { return 0; });
  CHECK_EQ(setpgid(third.pid, leader.pid), 0);
  CHECK_EXITED(third.let_go(), 0);
  CHECK_EXITED(member.let_go(), 0);
  CHECK_ERRNO(kill(-leader.pid, 0), ESRCH);
  Held late([] { return 0; });
  CHECK_ERRNO(setpgid(late.pid, leader.pid), EPERM);
  CHECK_EXITED(late.let_go(), 0);
}

TEST(a_zombie_keeps_its_number_and_group) {
  pid_t child = check::start_child([] { return setpgid(0, 0); });
  siginfo_t info;
  CHECK_EQ(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
  CHECK_EQ(kill(child, 0), 0);
  CHECK_EQ(kill(-child, 0), 0);
  CHECK_EQ(getpgid(child), child);
  CHECK_EQ(waitpid(child, nullptr, 0), child);
  CHECK_ERRNO(kill(child, 0), ESRCH);
  CHECK_ERRNO(kill(-child, 0), ESRCH);
}

TEST(a_number_in_use_as_a_group_makes_no_session) {
  CHECK_EXITED(check::in_child([&] {
                 // (The group it came in may be of no number here: that of a first process.)
                 Held other([] { return 0; });
                 CHECK_EQ(setpgid(other.pid, other.pid), 0);
                 CHECK_EQ(setpgid(0, 0), 0);
                 Held member([] { return 0; });
                 CHECK_EQ(setpgid(0, other.pid), 0);
                 CHECK_EXITED(other.let_go(), 0);
                 CHECK_ERRNO(setsid(), EPERM);  // the member's group goes by its number
                 CHECK_EXITED(member.let_go(), 0);
                 CHECK_EQ(setsid(), getpid());
                 CHECK_EQ(getpgrp(), getpid());
                 CHECK_EQ(getsid(0), getpid());
                 CHECK_ERRNO(setsid(), EPERM);
                 return 0;
               }),
               0);
}

TEST(numbers_are_not_used_twice) {
  Held leader([] { return setpgid(0, 0); });
  Held member([] { return 0; });
  CHECK_EQ(setpgid(member.pid, leader.pid), 0);
  CHECK_EXITED(leader.let_go(), 0);
  for (int i = 0; i < 100; ++i) {
    pid_t child = check::start_child([] { return 0; });
    CHECK(child != leader.pid && child != member.pid && child != getpid());
    CHECK_EQ(waitpid(child, nullptr, 0), child);
  }
  CHECK_EXITED(member.let_go(), 0);
}

TEST(proc_lists_the_threads) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", getpid());
  DIR* folder = opendir(path);
  REQUIRE(folder);
  int found = 0;
  while (dirent* entry = readdir(folder)) {
    if (entry->d_name[0] == '.') continue;
    ++found;
    CHECK_EQ(atoi(entry->d_name), getpid());
  }
  closedir(folder);
  CHECK_EQ(found, 1);
  snprintf(path, sizeof path, "/proc/self/task/%d/status", getpid());
  FILE* status = fopen(path, "r");
  REQUIRE(status);
  char line[256];
  int pid = 0, group = 0, threads = 0;
  while (fgets(line, sizeof line, status)) {
    sscanf(line, "Pid: %d", &pid);
    sscanf(line, "Tgid: %d", &group);
    sscanf(line, "Threads: %d", &threads);
  }
  fclose(status);
  CHECK_EQ(pid, getpid());
  CHECK_EQ(group, getpid());
  CHECK_EQ(threads, 1);
  CHECK_ERRNO(open("/proc/self/task/1/../../task/999999", O_RDONLY), ENOENT);
  CHECK_ERRNO(open("/proc/self/task/999999", O_RDONLY), ENOENT);
  snprintf(path, sizeof path, "/proc/self/task/%d/task", getpid());
  CHECK_ERRNO(open(path, O_RDONLY), ENOENT);
  snprintf(path, sizeof path, "/proc/self/task/%d", getppid());
  CHECK_ERRNO(open(path, O_RDONLY), ENOENT);
}
