// Conformance, time: clocks go forward, sleeps last at least as long as asked for, and wake in
// the order of their deadlines. No upper bound is ever asserted: the host may be busy.
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

#include "check.h"

static uint64_t now(clockid_t clock = CLOCK_MONOTONIC) {
  timespec t;
  REQUIRE(clock_gettime(clock, &t) == 0);
  return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void sleep_ms(int ms) {
  timespec t = {ms / 1000, ms % 1000 * 1000000l};
  REQUIRE(nanosleep(&t, nullptr) == 0);
}

static void sleep_until(uint64_t time) {
  timespec t = {(time_t)(time / 1000000000), (long)(time % 1000000000)};
  CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr), 0);
}

TEST(monotonic_time_never_goes_back) {
  uint64_t last = now();
  for (int i = 0; i < 2000; ++i) {
    uint64_t next = now();
    REQUIRE(next >= last);
    last = next;
  }
}

TEST(sleeping_takes_its_time) {
  for (int ms : {1, 5, 20, 60}) {
    uint64_t before = now();
    sleep_ms(ms);
    CHECK(now() - before >= (uint64_t)ms * 1000000);
  }
  uint64_t before = now();
  usleep(3000);
  CHECK(now() - before >= 3000000);
}

TEST(absolute_sleeps) {
  uint64_t until = now() + 30000000;
  sleep_until(until);
  CHECK(now() >= until);
  sleep_until(until);  // long past
}

TEST(real_time_is_today) {
  CHECK(time(nullptr) > 1700000000);
  timeval tv;
  CHECK_EQ(gettimeofday(&tv, nullptr), 0);
  long difference = (long)tv.tv_sec - (long)(now(CLOCK_REALTIME) / 1000000000);
  CHECK(difference >= -2 && difference <= 2);
  CHECK_EQ(tv.tv_usec / 1000000, 0);
}

TEST(by_system_call_and_by_library_the_same) {
  timespec t;
  uint64_t before = now();
  CHECK_EQ(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t), 0);
  uint64_t raw = (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
  uint64_t after = now();
  // The library may read the clock from user mode; both must tell the same time.
  CHECK(raw + 5000000 >= before && raw <= after + 5000000);
}

TEST(bad_arguments) {
  timespec t = {0, 1000000000};
  CHECK_ERRNO(nanosleep(&t, nullptr), EINVAL);
  t = {-1, 0};
  CHECK_ERRNO(nanosleep(&t, nullptr), EINVAL);
  CHECK_ERRNO(syscall(SYS_clock_gettime, 99, &t), EINVAL);
  t = {0, 0};
  CHECK_EQ(nanosleep(&t, nullptr), 0);
}

TEST(sleepers_wake_in_order) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const uint64_t start = now() + 200'000'000;  // when all of them sleep
  for (int i = 4; i >= 1; --i) {
    check::start_child([&] {
      sleep_until(start + i * 200'000'000ull);
      char digit = (char)('0' + i);
      return write(ends[1], &digit, 1) == 1 ? 0 : 1;
    });
  }
  close(ends[1]);
  char order[8] = {};
  for (int i = 0; i < 4; ++i) CHECK_EQ(read(ends[0], order + i, 1), 1);
  CHECK(strcmp(order, "1234") == 0);
  while (wait(nullptr) > 0) {
  }
}

TEST(cpu_time_is_counted) {
  struct rusage before, after;
  CHECK_EQ(getrusage(RUSAGE_SELF, &before), 0);
  uint64_t until = now() + 150000000;
  while (now() < until) {
  }
  CHECK_EQ(getrusage(RUSAGE_SELF, &after), 0);
  auto micros = [](const struct rusage& r) {
    return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000 + r.ru_utime.tv_usec +
           r.ru_stime.tv_usec;
  };
  CHECK(micros(after) > micros(before));
  struct tms ticks;
  CHECK(times(&ticks) != -1);
}

TEST(interval_timers_repeat) {
  static volatile int rings;
  signal(SIGALRM, [](int) { ++rings; });
  itimerval every = {{0, 20000}, {0, 20000}};
  REQUIRE(setitimer(ITIMER_REAL, &every, nullptr) == 0);
  while (rings < 4) pause();
  itimerval none = {}, old;
  CHECK_EQ(setitimer(ITIMER_REAL, &none, &old), 0);
  CHECK_EQ(old.it_interval.tv_usec, 20000);
  int then = rings;
  sleep_ms(60);
  CHECK_EQ(rings, then);
}
