// Conformance, timers: timer_create and its family, alarm. No test depends on how long anything
// takes, only on order and on "not before".
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "check.h"

static volatile int count, last_code, last_value;

static void note(int, siginfo_t* info, void*) {
  ++count;
  last_code = info->si_code;
  last_value = info->si_value.sival_int;
}

static void handle(int number) {
  struct sigaction action = {};
  action.sa_sigaction = note;
  action.sa_flags = SA_SIGINFO;
  REQUIRE(sigaction(number, &action, nullptr) == 0);
}

/// Never misses the signal between the look and the sleep.
static void wait_for(int number) {
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &before);
  while (count < number) sigsuspend(&before);
  sigprocmask(SIG_SETMASK, &before, nullptr);
}

static timer_t create(clockid_t clock, int notify, int signal) {
  sigevent event = {};
  event.sigev_notify = notify;
  event.sigev_signo = signal;
  event.sigev_value.sival_int = 99;
  timer_t timer = nullptr;
  REQUIRE(timer_create(clock, &event, &timer) == 0);
  return timer;
}

static void set(timer_t timer, long value_ms, long interval_ms, int flags = 0) {
  itimerspec wanted = {{interval_ms / 1000, interval_ms % 1000 * 1'000'000},
                       {value_ms / 1000, value_ms % 1000 * 1'000'000}};
  REQUIRE(timer_settime(timer, flags, &wanted, nullptr) == 0);
}

static void set_timer_and_wait_for_its_end(timer_t timer) {
  set(timer, 1, 0);
  itimerspec now;
  do {
    usleep(1000);
    timer_gettime(timer, &now);
  } while (now.it_value.tv_sec || now.it_value.tv_nsec);
}

TEST(a_timer_sends_its_signal_once) {
  handle(SIGUSR1);
  timer_t timer = create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1);
  set(timer, 20, 0);
  wait_for(1);
  CHECK_EQ(last_code, SI_TIMER);
  CHECK_EQ(last_value, 99);
  itimerspec now = {};
  CHECK_EQ(timer_gettime(timer, &now), 0);
  CHECK_EQ(now.it_value.tv_sec + now.it_value.tv_nsec, 0);
  CHECK_EQ(timer_delete(timer), 0);
  CHECK_ERRNO(timer_delete(timer), EINVAL);
}

TEST(a_timer_repeats_until_it_is_disarmed) {
  handle(SIGUSR1);
  timer_t timer = create(CLOCK_REALTIME, SIGEV_SIGNAL, SIGUSR1);
  set(timer, 5, 5);
  wait_for(4);
  set(timer, 0, 0);
  int seen = count;
  usleep(30'000);
  CHECK_EQ(count, seen);
}

TEST(absolute_times_that_are_past_expire_at_once) {
  handle(SIGUSR1);
  timer_t timer = create(CLOCK_REALTIME, SIGEV_SIGNAL, SIGUSR1);
  set(timer, 1000, 0, TIMER_ABSTIME);  // a second after 1970 began
  wait_for(1);
  CHECK_EQ(count, 1);
}

TEST(silent_timers_only_count_down) {
  timer_t timer = create(CLOCK_MONOTONIC, SIGEV_NONE, 0);
  set(timer, 60'000, 0);
  itimerspec now = {};
  CHECK_EQ(timer_gettime(timer, &now), 0);
  CHECK(now.it_value.tv_sec >= 1 && now.it_value.tv_sec <= 60);
}

TEST(pending_expiries_are_counted) {
  handle(SIGUSR1);
  sigset_t set_of_one;
  sigemptyset(&set_of_one);
  sigaddset(&set_of_one, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set_of_one, nullptr);
  timer_t timer = create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1);
  set(timer, 1, 1);
  usleep(50'000);
  siginfo_t info = {};
  CHECK_EQ(sigwaitinfo(&set_of_one, &info), SIGUSR1);
  CHECK(info.si_overrun > 0);
  CHECK_EQ(timer_getoverrun(timer), info.si_overrun);
}

TEST(each_timer_waits_in_the_queue_for_itself) {
  sigset_t waited;
  sigemptyset(&waited);
  for (int signal : {SIGUSR1, SIGRTMIN + 3}) sigaddset(&waited, signal);
  sigprocmask(SIG_BLOCK, &waited, nullptr);
  for (int signal : {SIGUSR1, SIGRTMIN + 3}) {
    int values = 0;
    for (int value : {1, 2}) {
      sigevent event = {};
      event.sigev_notify = SIGEV_SIGNAL;
      event.sigev_signo = signal;
      event.sigev_value.sival_int = value;
      timer_t timer = nullptr;
      REQUIRE(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
      set(timer, 1, 0);
      itimerspec left = {};
      do {
        usleep(1'000);
        REQUIRE(timer_gettime(timer, &left) == 0);
      } while (left.it_value.tv_sec || left.it_value.tv_nsec);
    }
    for (int i = 0; i < 2; ++i) {
      siginfo_t info = {};
      timespec none = {};
      CHECK_EQ(sigtimedwait(&waited, &info, &none), signal);
      CHECK_EQ(info.si_code, SI_TIMER);
      values += info.si_value.sival_int;
    }
    CHECK_EQ(values, 3);
  }
}

TEST(timers_are_not_inherited) {
  handle(SIGUSR1);
  timer_t timer = create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1);
  int status = check::in_child([timer] {
    itimerspec now = {};
    return timer_gettime(timer, &now) == -1 && errno == EINVAL ? 0 : 1;
  });
  CHECK_EXITED(status, 0);
}

TEST(without_an_event_it_is_the_alarm) {
  handle(SIGALRM);
  timer_t timer = nullptr;
  REQUIRE(timer_create(CLOCK_MONOTONIC, nullptr, &timer) == 0);
  set(timer, 5, 0);
  wait_for(1);
  CHECK_EQ(last_code, SI_TIMER);
}

TEST(bad_arguments) {
  timer_t timer = nullptr;
  sigevent event = {};
  event.sigev_signo = 65;
  CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
  event.sigev_signo = SIGUSR1;
  CHECK_ERRNO(timer_create(99, &event, &timer), EINVAL);
  event.sigev_notify = 77;
  CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
  timer = create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1);
  itimerspec wanted = {{0, 0}, {0, 1'000'000'000}};
  CHECK_ERRNO(timer_settime(timer, 0, &wanted, nullptr), EINVAL);
}

TEST(alarms_say_what_was_left) {
  const unsigned left = alarm(100);  // of the frame's own
  CHECK(left > 0 && left <= 30);
  CHECK(alarm(0) > 60);
  CHECK_EQ(alarm(0), 0);
}

TEST(a_timer_set_in_the_past_counts_what_it_missed) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  for (clockid_t clock : {CLOCK_REALTIME, CLOCK_MONOTONIC}) {
    struct sigevent event = {};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGUSR1;
    timer_t timer;
    REQUIRE(timer_create(clock, &event, &timer) == 0);
    struct itimerspec setting = {};
    clock_gettime(clock, &setting.it_value);
    setting.it_value.tv_sec -= 1;
    setting.it_interval.tv_nsec = 1000000;
    CHECK_EQ(timer_settime(timer, TIMER_ABSTIME, &setting, nullptr), 0);
    siginfo_t info;
    CHECK_EQ(sigwaitinfo(&set, &info), SIGUSR1);
    CHECK(info.si_overrun >= 999 && info.si_overrun < 20000);
    timer_delete(timer);
  }
}

TEST(what_only_looks_like_a_timers_signal_disturbs_none) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGRTMIN);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  for (int number : {SIGUSR1, SIGRTMIN}) {
    timer_t timer = create(CLOCK_MONOTONIC, SIGEV_SIGNAL, number);
    siginfo_t forged = {};
    forged.si_code = SI_TIMER;
    forged.si_timerid = (int)(long)timer;
    forged.si_overrun = 77;
    forged.si_value.sival_int = 5;
    CHECK_EQ(syscall(SYS_rt_sigqueueinfo, getpid(), number, &forged), 0);
    set_timer_and_wait_for_its_end(timer);
    siginfo_t info = {};
    CHECK_EQ(sigwaitinfo(&set, &info), number);
    CHECK_EQ(info.si_code, SI_TIMER);
    CHECK_EQ(info.si_overrun, 77);
    CHECK_EQ(info.si_value.sival_int, 5);
    CHECK_EQ(sigwaitinfo(&set, &info), number);  // it comes, too
    CHECK_EQ(info.si_code, SI_TIMER);
    CHECK_EQ(info.si_overrun, 0);
    CHECK_EQ(info.si_value.sival_int, 99);
    CHECK_EQ(timer_getoverrun(timer), 0);
    timer_delete(timer);
  }
}

TEST(what_only_looks_like_a_timers_signal_counts_for_the_limit) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  rlimit limit;
  getrlimit(RLIMIT_SIGPENDING, &limit);
  limit.rlim_cur = 0;
  REQUIRE(setrlimit(RLIMIT_SIGPENDING, &limit) == 0);
  siginfo_t forged = {};
  forged.si_code = SI_TIMER;
  CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, getpid(), SIGRTMIN, &forged), EAGAIN);
}
