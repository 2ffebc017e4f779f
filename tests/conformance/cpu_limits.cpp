// Conformance, what CPU time brings about: ITIMER_VIRTUAL, ITIMER_PROF and RLIMIT_CPU.
#include <sys/resource.h>
#include <sys/time.h>

#include "cpu_time.h"

TEST(interval_timers_on_cpu_time) {
  for (int which : {ITIMER_VIRTUAL, ITIMER_PROF}) {
    const int number = which == ITIMER_PROF ? SIGPROF : SIGVTALRM;
    handle(number);
    const uint64_t start = now();
    const itimerval wanted = {{0, 20'000}, {0, 10'000}}, none = {};
    REQUIRE(setitimer(which, &wanted, nullptr) == 0);
    while (count < 3) compute();
    CHECK(now() - start >= 10 * ms);
    CHECK_EQ(last.si_code, SI_KERNEL);
    itimerval setting = {};
    CHECK_EQ(getitimer(which, &setting), 0);
    CHECK(setting.it_value.tv_sec == 0 && setting.it_value.tv_usec > 0);
    CHECK(setting.it_interval.tv_usec >= 20'000 && setting.it_interval.tv_usec <= 40'000);
    CHECK_EQ(setitimer(which, &none, &setting), 0);
    CHECK(setting.it_value.tv_usec > 0);
    count = 0;
    compute_for(60 * ms);
    CHECK_EQ(count, 0);
    CHECK_EQ(getitimer(which, &setting), 0);
    CHECK_EQ(setting.it_value.tv_usec + setting.it_interval.tv_usec, 0);
  }
}

TEST(interval_timers_stand_still_in_a_sleep) {
  handle(SIGPROF);
  handle(SIGVTALRM);
  const itimerval wanted = {{0, 0}, {0, 100'000}};
  for (int which : {ITIMER_VIRTUAL, ITIMER_PROF}) REQUIRE(setitimer(which, &wanted, nullptr) == 0);
  usleep(300'000);
  CHECK_EQ(count, 0);
}

TEST(interval_timers_survive_execve_and_no_fork) {
  handle(SIGPROF);
  const itimerval wanted = {{0, 0}, {0, 200'000}};
  REQUIRE(setitimer(ITIMER_PROF, &wanted, nullptr) == 0);
  const int forked = check::in_child([] {
    itimerval setting = {{1, 1}, {1, 1}};
    REQUIRE(getitimer(ITIMER_PROF, &setting) == 0);
    return setting.it_value.tv_sec + setting.it_value.tv_usec == 0 ? 0 : 1;
  });
  CHECK_EXITED(forked, 0);
  const int executed = check::in_child([&] {
    REQUIRE(setitimer(ITIMER_PROF, &wanted, nullptr) == 0);
    execl("/proc/self/exe", check::self_path, "--helper", "work", nullptr);
    return 1;
  });
  CHECK_KILLED(executed, SIGPROF);
}

TEST(bad_arguments_of_interval_timers) {
  itimerval setting = {};
  for (int which : {-1, 3, 99}) {
    CHECK_ERRNO(syscall(SYS_getitimer, which, &setting), EINVAL);
    CHECK_ERRNO(syscall(SYS_setitimer, which, &setting, nullptr), EINVAL);
    CHECK_ERRNO(syscall(SYS_setitimer, which, 8, nullptr), EFAULT);
  }
  for (int which : {ITIMER_VIRTUAL, ITIMER_PROF}) {
    CHECK_ERRNO(syscall(SYS_getitimer, which, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_setitimer, which, 8, nullptr), EFAULT);
    CHECK_ERRNO(syscall(SYS_setitimer, which, &setting, 8), EFAULT);
    const itimerval wrong = {{0, 0}, {0, 1'000'000}}, negative = {{-1, 0}, {0, 0}};
    CHECK_ERRNO(syscall(SYS_setitimer, which, &wrong, nullptr), EINVAL);
    CHECK_ERRNO(syscall(SYS_setitimer, which, &negative, nullptr), EINVAL);
  }
}

static void limit(rlim_t soft, rlim_t hard) {
  const rlimit wanted = {soft, hard};
  REQUIRE(setrlimit(RLIMIT_CPU, &wanted) == 0);
}

TEST(the_soft_limit_ends_what_handles_nothing) {
  const int status = check::in_child([] {
    limit(1, 10);
    for (;;) compute();
    return 0;
  });
  CHECK_KILLED(status, SIGXCPU);
}

TEST(the_hard_limit_kills) {
  const int status = check::in_child([] {
    signal(SIGXCPU, SIG_IGN);
    limit(1, 1);
    for (;;) compute();
    return 0;
  });
  CHECK_KILLED(status, SIGKILL);
}

TEST(beyond_the_soft_limit_there_is_a_signal_each_second) {
  const int status = check::in_child([] {
    handle(SIGXCPU);
    limit(1, 3);
    while (count == 0) compute();
    CHECK_EQ(last.si_code, SI_KERNEL);
    rlimit limit = {};
    REQUIRE(getrlimit(RLIMIT_CPU, &limit) == 0);
    CHECK_EQ(limit.rlim_cur, 2);  // as Linux counts
    CHECK_EQ(limit.rlim_max, 3);
    while (count == 1) compute();
    if (check::failures) return 1;
    for (;;) compute();
    return 0;
  });
  CHECK_KILLED(status, SIGKILL);
}

TEST(a_limit_that_is_past_is_reached_at_once) {
  const int status = check::in_child([] {
    compute_for(1100 * ms);
    limit(0, 10);
    for (;;) compute();
    return 0;
  });
  CHECK_KILLED(status, SIGXCPU);
}

TEST(a_limit_is_inherited_and_can_be_lifted) {
  const int status = check::in_child([] {
    limit(1, RLIM_INFINITY);
    return WTERMSIG(check::in_child([] {
      for (;;) compute();
      return 0;
    }));
  });
  CHECK_EXITED(status, SIGXCPU);
  const int lifted = check::in_child([] {
    limit(1, RLIM_INFINITY);
    compute_for(500 * ms);
    limit(RLIM_INFINITY, RLIM_INFINITY);
    compute_for(800 * ms);
    return 5;
  });
  CHECK_EXITED(lifted, 5);
}

TEST(anothers_limit) {
  const pid_t worker = start_worker();
  const rlimit wanted = {1, 20};
  REQUIRE(prlimit(worker, RLIMIT_CPU, &wanted, nullptr) == 0);
  int status = -1;
  REQUIRE(waitpid(worker, &status, 0) == worker);
  CHECK_KILLED(status, SIGXCPU);
}

int helper(int, char**) {
  for (;;) compute();
}
