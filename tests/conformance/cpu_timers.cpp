// Conformance, timers on CPU time: those of timer_create, and SIGEV_THREAD_ID on any clock.
#include "cpu_time.h"

static timer_t create(clockid_t clock, int notify, int number, int thread = 0) {
  sigevent event = {};
  event.sigev_notify = notify;
  event.sigev_signo = number;
  event.sigev_value.sival_int = 99;
  event._sigev_un._tid = thread;
  int timer = -1;
  REQUIRE(syscall(SYS_timer_create, clock, &event, &timer) == 0);
  return (timer_t)(long)timer;
}
static long set(timer_t timer, uint64_t value, uint64_t interval, int flags = 0,
                itimerspec* old = nullptr) {
  const itimerspec wanted = {span(interval), span(value)};
  return syscall(SYS_timer_settime, timer, flags, &wanted, old);
}

TEST(timers_on_ones_own_time) {
  for (clockid_t clock :
       {2, 3, clock_of(0, of_all), clock_of(0, of_user), clock_of(getpid(), precise),
        clock_of(gettid(), precise | of_thread), clock_of(0, of_user | of_thread)}) {
    handle(SIGUSR1);
    timer_t timer = create(clock, SIGEV_SIGNAL, SIGUSR1);
    const uint64_t start = now(clock);
    REQUIRE(set(timer, 20 * ms, 0) == 0);
    while (count == 0) compute();
    CHECK(now(clock) >= start + 20 * ms);
    CHECK_EQ(last.si_code, SI_TIMER);
    CHECK_EQ(last.si_value.sival_int, 99);
    itimerspec setting = {{9, 9}, {9, 9}};
    CHECK_EQ(syscall(SYS_timer_gettime, timer, &setting), 0);
    CHECK_EQ(setting.it_value.tv_sec + setting.it_value.tv_nsec, 0);
    CHECK_EQ(syscall(SYS_timer_delete, timer), 0);
  }
}

TEST(a_sleeping_process_makes_no_timer_due) {
  handle(SIGUSR1);
  timer_t timer = create(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1);
  REQUIRE(set(timer, 100 * ms, 0) == 0);
  usleep(200'000);
  CHECK_EQ(count, 0);
  itimerspec old = {};
  REQUIRE(set(timer, 0, 0, 0, &old) == 0);
  CHECK(old.it_value.tv_sec == 0 && old.it_value.tv_nsec > 0);
  CHECK(old.it_value.tv_nsec <= (long)(100 * ms));
}

TEST(timers_on_cpu_time_repeat) {
  handle(SIGUSR1);
  timer_t timer = create(CLOCK_THREAD_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1);
  const uint64_t start = now(CLOCK_THREAD_CPUTIME_ID);
  REQUIRE(set(timer, 20 * ms, 20 * ms) == 0);
  int times = 0;
  while (times < 3) {
    while (count == 0) compute();
    count = 0;
    times += 1 + last.si_overrun;
  }
  CHECK(now(CLOCK_THREAD_CPUTIME_ID) >= start + 60 * ms);
  REQUIRE(set(timer, 0, 0) == 0);
  count = 0;
  compute_for(60 * ms);
  CHECK_EQ(count, 0);
}

TEST(absolute_and_past_expiries) {
  handle(SIGUSR1);
  compute_for(10 * ms);
  timer_t timer = create(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1);
  REQUIRE(set(timer, 1, 0, TIMER_ABSTIME) == 0);  // past
  while (count == 0) usleep(1000);
  count = 0;
  const uint64_t at = now() + 30 * ms;
  REQUIRE(set(timer, at, 0, TIMER_ABSTIME) == 0);
  while (count == 0) compute();
  CHECK(now() >= at);
}

TEST(missed_expiries_are_counted) {
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  sigprocmask(SIG_BLOCK, &blocked, nullptr);
  timer_t timer = create(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1);
  REQUIRE(set(timer, ms, ms) == 0);
  compute_for(100 * ms);
  siginfo_t info = {};
  REQUIRE(sigwaitinfo(&blocked, &info) == SIGUSR1);
  CHECK(info.si_overrun > 10);
  CHECK_EQ(syscall(SYS_timer_getoverrun, timer), info.si_overrun);
}

TEST(a_timer_on_anothers_time) {
  const pid_t worker = start_worker();
  handle(SIGUSR1);
  timer_t timer = create(clock_of(worker, precise), SIGEV_SIGNAL, SIGUSR1);
  REQUIRE(set(timer, 20 * ms, 0) == 0);
  while (count == 0) usleep(1000);
  REQUIRE(set(timer, 3600'000 * ms, 0) == 0);
  end(worker);
  itimerspec setting = {{9, 9}, {9, 9}};
  CHECK_EQ(syscall(SYS_timer_gettime, timer, &setting), 0);
  CHECK_EQ(setting.it_value.tv_sec + setting.it_value.tv_nsec, 0);
  CHECK_ERRNO(set(timer, 20 * ms, 0), ESRCH);
  CHECK_EQ(syscall(SYS_timer_delete, timer), 0);
}

TEST(a_timer_on_the_time_of_a_thread_that_ends) {
  pthread_t thread;
  REQUIRE(pthread_create(&thread, nullptr, work_until_stage, nullptr) == 0);
  while (!other_tid) usleep(1000);
  handle(SIGUSR1);
  timer_t timer = create(clock_of(other_tid, precise | of_thread), SIGEV_SIGNAL, SIGUSR1);
  REQUIRE(set(timer, 20 * ms, 0) == 0);
  while (count == 0) usleep(1000);
  REQUIRE(set(timer, 3600'000 * ms, 0) == 0);
  stage = 2;
  REQUIRE(pthread_join(thread, nullptr) == 0);
  while (syscall(SYS_tkill, other_tid, 0) == 0) usleep(1000);
  CHECK_ERRNO(set(timer, 20 * ms, 0), ESRCH);
}

static volatile pid_t taker;

TEST(a_timer_for_one_thread) {
  pthread_t thread;
  REQUIRE(pthread_create(&thread, nullptr, work_until_stage, nullptr) == 0);
  while (!other_tid) usleep(1000);
  struct sigaction action = {};
  action.sa_handler = [](int) { taker = gettid(); };
  REQUIRE(sigaction(SIGUSR1, &action, nullptr) == 0);
  for (clockid_t clock : {CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID})
    for (pid_t thread : {(pid_t)other_tid, gettid()}) {
      taker = 0;
      timer_t timer = create(clock, SIGEV_THREAD_ID, SIGUSR1, thread);
      REQUIRE(set(timer, 5 * ms, 0) == 0);
      while (taker == 0) compute();
      CHECK_EQ(taker, thread);
    }
  sigevent event = {};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = SIGUSR1;
  int id;
  for (int wrong : {0, -1, 1, getppid(), 123456789}) {
    event._sigev_un._tid = wrong;
    CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id), EINVAL);
  }
  stage = 2;
  REQUIRE(pthread_join(thread, nullptr) == 0);
}

TEST(timers_on_clocks_that_have_none) {
  int id;
  for (clockid_t clock : {4, 5, 6, clock_of(0, 3), clock_of(7, 3)})
    CHECK_ERRNO(syscall(SYS_timer_create, clock, nullptr, &id), EOPNOTSUPP);
  const pid_t sleeper = start_sleeper();
  for (clockid_t clock : {10, 12, 99, clock_of(123456789, precise), clock_of(0, 7),
                          clock_of(sleeper, precise | of_thread)})
    CHECK_ERRNO(syscall(SYS_timer_create, clock, nullptr, &id), EINVAL);
  CHECK_ERRNO(syscall(SYS_timer_create, 4, 8, &id), EFAULT);
  CHECK_ERRNO(syscall(SYS_timer_create, 2, nullptr, 8), EFAULT);
  end(sleeper);
}
