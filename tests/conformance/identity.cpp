// Conformance, who a process is and what it is told of the machine: ids, limits, names, usage.
#include <grp.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <sys/utsname.h>

#include "check.h"

TEST(threads_need_the_flags_that_go_with_them) {
  CHECK_ERRNO(syscall(SYS_clone, 0x10000 /* CLONE_THREAD without CLONE_SIGHAND */, 0, 0, 0, 0),
              EINVAL);
  CHECK_EQ(syscall(SYS_gettid), getpid());
}

TEST(user_and_group_ids) {
  int status = check::in_child([] {
    uid_t r, e, s;
    CHECK_EQ(setresgid(10, 11, 12), 0);
    CHECK_EQ(getresgid(&r, &e, &s), 0);
    CHECK(r == 10 && e == 11 && s == 12);
    CHECK_EQ(setresuid(5, 6, 7), 0);
    CHECK_EQ(getuid(), 5);
    CHECK_EQ(geteuid(), 6);
    CHECK_EQ(getresuid(&r, &e, &s), 0);
    CHECK(r == 5 && e == 6 && s == 7);
    CHECK_EXITED(check::in_child([] { return getuid() == 5 && geteuid() == 6 ? 0 : 1; }), 0);
    return 0;
  });
  CHECK_EXITED(status, 0);
}

TEST(ids_of_someone_else_are_refused) {
  int status = check::in_child([] {
    CHECK_EQ(setresuid(5, 6, 7), 0);
    CHECK_ERRNO(setuid(0), EPERM);
    CHECK_ERRNO(setresuid(0, -1, -1), EPERM);
    CHECK_EQ(seteuid(7), 0);
    CHECK_EQ(setuid(5), 0);
    CHECK_EQ(geteuid(), 5);
    return 0;
  });
  CHECK_EXITED(status, 0);
}

TEST(supplementary_groups) {
  gid_t groups[3] = {20, 30, 40}, got[8] = {};
  CHECK_EQ(setgroups(3, groups), 0);
  CHECK_EQ(getgroups(0, nullptr), 3);
  CHECK_EQ(getgroups(8, got), 3);
  CHECK(got[0] == 20 && got[1] == 30 && got[2] == 40);
  CHECK_ERRNO(getgroups(2, got), EINVAL);
  CHECK_EXITED(check::in_child([] { return getgroups(0, nullptr); }), 3);
  CHECK_EQ(setgroups(0, nullptr), 0);
  CHECK_EQ(getgroups(0, nullptr), 0);
}

int helper(int, char**) {
  bool told = getauxval(AT_UID) == 5 && getauxval(AT_EUID) == 0 && getauxval(AT_GID) == 10 &&
              getauxval(AT_EGID) == 11 && getauxval(AT_SECURE) == 1;
  return told ? 7 : 8;
}

TEST(programs_are_told_who_runs_them) {
  CHECK_EQ(getauxval(AT_SECURE), 0);
  int status = check::in_child([] {
    CHECK_EQ(setresgid(10, 11, 11), 0);
    CHECK_EQ(setresuid(5, 0, 0), 0);
    execl(check::self_path, check::self_path, "--helper", nullptr);
    return 60;
  });
  CHECK_EXITED(status, 7);
}

TEST(limits) {
  rlimit limit = {};
  CHECK_EQ(getrlimit(RLIMIT_CORE, &limit), 0);
  limit = {100, 200};
  CHECK_EQ(setrlimit(RLIMIT_CPU, &limit), 0);
  rlimit seen = {};
  CHECK_EQ(prlimit(0, RLIMIT_CPU, nullptr, &seen), 0);
  CHECK(seen.rlim_cur == 100 && seen.rlim_max == 200);
  limit = {300, 200};
  CHECK_ERRNO(setrlimit(RLIMIT_CPU, &limit), EINVAL);
  CHECK_ERRNO(getrlimit((__rlimit_resource)99, &limit), EINVAL);
  int status = check::in_child([] {
    rlimit inherited = {};
    getrlimit(RLIMIT_CPU, &inherited);
    return (int)inherited.rlim_cur;
  });
  CHECK_EXITED(status, 100);
}

TEST(descriptors_are_limited) {
  rlimit limit = {};
  CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = 10;
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  int fd = 0, last = 0;
  while ((fd = dup(1)) >= 0) last = fd;
  CHECK_EQ(errno, EMFILE);
  CHECK_EQ(last, 9);
  CHECK_ERRNO(dup2(1, 10), EBADF);
  for (int i = 3; i < 10; ++i) close(i);
}

TEST(umask_is_inherited) {
  umask(027);
  CHECK_EXITED(check::in_child([] { return (int)umask(0); }), 027);
  CHECK_EQ(umask(022), 027);
}

TEST(names) {
  CHECK_EQ(prctl(PR_SET_NAME, "a name that is too long"), 0);
  char name[16] = {};
  CHECK_EQ(prctl(PR_GET_NAME, name), 0);
  CHECK_EQ(strcmp(name, "a name that is "), 0);
  utsname system = {};
  CHECK_EQ(uname(&system), 0);
  CHECK_EQ(strcmp(system.sysname, "Linux"), 0);
  CHECK_EQ(strcmp(system.machine, "x86_64"), 0);
}

TEST(a_child_may_die_with_its_parent) {
  int ends[2], signal = -1;
  REQUIRE(pipe(ends) == 0);
  pid_t child = check::start_child([&ends] {
    int ready[2];
    if (pipe(ready) != 0) return 1;
    pid_t grandchild = check::start_child([&ends, &ready] {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      close(ends[0]);
      if (write(ready[1], "x", 1) != 1) return 1;
      for (;;) pause();
      return 0;
    });
    char c;
    return grandchild > 0 && read(ready[0], &c, 1) == 1 ? 0 : 1;
  });
  close(ends[1]);
  int status = 0;
  waitpid(child, &status, 0);
  CHECK_EXITED(status, 0);
  char c;
  CHECK_EQ(read(ends[0], &c, 1), 0);  // its last writer is gone
  CHECK_EQ(prctl(PR_SET_PDEATHSIG, SIGUSR1), 0);
  CHECK_EQ(prctl(PR_GET_PDEATHSIG, &signal), 0);
  CHECK_EQ(signal, SIGUSR1);
  CHECK_ERRNO(prctl(PR_SET_PDEATHSIG, 65), EINVAL);
}

TEST(usage_and_times) {
  rusage usage = {};
  CHECK_EQ(getrusage(RUSAGE_SELF, &usage), 0);
  CHECK(usage.ru_maxrss > 0);
  CHECK_EQ(getrusage(RUSAGE_CHILDREN, &usage), 0);
  CHECK_ERRNO(getrusage((__rusage_who)7, &usage), EINVAL);
  tms spent = {};
  CHECK(times(&spent) != (clock_t)-1);
  struct sysinfo info = {};
  CHECK_EQ(sysinfo(&info), 0);
  CHECK(info.totalram > 0 && info.procs > 0 && info.mem_unit > 0);
}

TEST(affinity) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CHECK_EQ(sched_getaffinity(0, sizeof set, &set), 0);
  CHECK(CPU_COUNT(&set) >= 1);
  CHECK_EQ(sched_setaffinity(0, sizeof set, &set), 0);
  CPU_ZERO(&set);
  CHECK_ERRNO(sched_setaffinity(0, sizeof set, &set), EINVAL);
}

TEST(nice_values) {
  // Natively it begins with whatever the tests were started with.
  CHECK_EQ(setpriority(PRIO_PROCESS, 0, 19), 0);
  CHECK_EQ(getpriority(PRIO_PROCESS, 0), 19);
  CHECK_EXITED(check::in_child([] { return getpriority(PRIO_PROCESS, 0); }), 19);
}
