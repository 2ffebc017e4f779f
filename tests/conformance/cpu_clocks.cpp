// Conformance, CPU clocks: reading those of processes and threads, and sleeping by them.
#include <sys/time.h>

#include "cpu_time.h"

TEST(a_process_and_its_thread_have_clocks) {
  const uint64_t process = now(), thread = now(CLOCK_THREAD_CPUTIME_ID);
  compute_for(20 * ms);
  CHECK(now() >= process + 20 * ms);
  CHECK(now(CLOCK_THREAD_CPUTIME_ID) > thread);
  usleep(50'000);
  const uint64_t before = now();
  usleep(100'000);
  CHECK(now() - before < 100 * ms);
}

TEST(negative_numbers_name_the_same_clocks) {
  compute_for(30 * ms);
  for (int bits : {of_all, of_user, precise})
    for (int number : {0, getpid()}) {
      for (int whose : {0, (int)of_thread}) {
        const uint64_t told = now(clock_of(number, bits | whose));
        // Linux samples the others.
        if (bits == precise) CHECK(told >= 30 * ms && told <= now());
      }
    }
}

TEST(clocks_of_another_process) {
  const pid_t worker = start_worker(), sleeper = start_sleeper();
  clockid_t clock = 0;
  CHECK_EQ(clock_getcpuclockid(worker, &clock), 0);
  CHECK_EQ(clock, clock_of(worker, precise));
  const uint64_t start = now(clock);
  while (now(clock) < start + 20 * ms) usleep(1000);
  usleep(20'000);
  const uint64_t before = now(clock_of(sleeper, precise));
  usleep(100'000);
  CHECK(now(clock_of(sleeper, precise)) - before < 100 * ms);
  timespec time;
  // Threads only of one's own process.
  CHECK_ERRNO(raw_read(clock_of(worker, precise | of_thread), &time), EINVAL);
  kill(worker, SIGKILL);
  siginfo_t info;
  REQUIRE(waitid(P_PID, worker, &info, WEXITED | WNOWAIT) == 0);
  CHECK(now(clock) >= 20 * ms);  // until it has been waited for
  REQUIRE(waitpid(worker, nullptr, 0) == worker);
  CHECK_ERRNO(raw_read(clock, &time), EINVAL);
  CHECK_EQ(clock_getcpuclockid(worker, &clock), ESRCH);
  end(sleeper);
}

TEST(clocks_of_threads) {
  pthread_t thread;
  REQUIRE(pthread_create(&thread, nullptr, work_until_stage, nullptr) == 0);
  while (!other_tid) usleep(1000);
  clockid_t clock = 0;
  REQUIRE(pthread_getcpuclockid(thread, &clock) == 0);
  CHECK_EQ(clock, clock_of(other_tid, precise | of_thread));
  while (now(clock) < 30 * ms) usleep(1000);
  CHECK(now() >= now(clock_of(0, precise | of_thread)) + 30 * ms);
  timespec time;
  // A thread is no process.
  CHECK_ERRNO(raw_read(clock_of(other_tid, precise), &time), EINVAL);
  CHECK_ERRNO(raw_resolution(clock_of(other_tid, precise), &time), EINVAL);
  stage = 2;
  REQUIRE(pthread_join(thread, nullptr) == 0);
  while (syscall(SYS_tkill, other_tid, 0) == 0) usleep(1000);
  CHECK_ERRNO(raw_read(clock, &time), EINVAL);
}

TEST(reading_and_resolutions) {
  timespec time;
  for (clockid_t clock : {0, 1, 2, 3, 4, 7, 11}) {
    CHECK_EQ(raw_resolution(clock, &time), 0);
    CHECK(time.tv_sec == 0 && time.tv_nsec == 1);
    CHECK_EQ(raw_resolution(clock, nullptr), 0);
    CHECK_ERRNO(raw_resolution(clock, (timespec*)8), EFAULT);
    CHECK_ERRNO(raw_read(clock, (timespec*)8), EFAULT);
    CHECK_ERRNO(raw_read(clock, nullptr), EFAULT);
  }
  for (clockid_t clock : {5, 6, clock_of(0, of_all), clock_of(0, of_user),
                          clock_of(0, of_all | of_thread), clock_of(getpid(), of_user)}) {
    CHECK_EQ(raw_resolution(clock, &time), 0);
    CHECK(time.tv_sec == 0 && time.tv_nsec >= 1'000'000 && time.tv_nsec <= 10'000'000);
  }
  CHECK_EQ(raw_resolution(clock_of(0, precise), &time), 0);
  CHECK_EQ(time.tv_nsec, 1);
  for (clockid_t clock : {10, 12, 99, clock_of(0, 3), clock_of(getpid(), 3), clock_of(0, 7),
                          clock_of(123456789, precise)}) {
    CHECK_ERRNO(raw_read(clock, &time), EINVAL);
    CHECK_ERRNO(raw_resolution(clock, &time), EINVAL);
    CHECK_ERRNO(raw_resolution(clock, nullptr), EINVAL);
  }
}

TEST(nobody_sets_these) {
  timespec time = {1, 0}, wrong = {1, 1'000'000'000};
  auto set = [](clockid_t clock, timespec* time) {
    return syscall(SYS_clock_settime, clock, time);
  };
  for (clockid_t clock : {1, 2, 3, 4, 5, 6, 7, 10, 11, 99}) {
    CHECK_ERRNO(set(clock, &time), EINVAL);
    CHECK_ERRNO(set(clock, (timespec*)8), EINVAL);
  }
  CHECK_ERRNO(set(clock_of(0, precise), &time), EPERM);
  CHECK_ERRNO(set(clock_of(getpid(), of_user), &wrong), EPERM);
  CHECK_ERRNO(set(clock_of(0, precise), (timespec*)8), EFAULT);
  CHECK_ERRNO(set(clock_of(0, 3), &time), EINVAL);
  CHECK_ERRNO(set(clock_of(123456789, precise), &time), EINVAL);
  CHECK_ERRNO(set(CLOCK_REALTIME, (timespec*)8), EFAULT);
  CHECK_ERRNO(set(CLOCK_REALTIME, &wrong), EINVAL);
}

TEST(sleeping_by_clocks_that_cannot) {
  timespec time = {0, 1}, wrong = {0, 1'000'000'000};
  for (clockid_t clock : {3, 4, 5, 6, clock_of(0, 3), clock_of(5, 3)})
    CHECK_ERRNO(raw_sleep(clock, 0, &time, nullptr), EOPNOTSUPP);
  for (clockid_t clock : {10, 12, 99, clock_of(0, precise | of_thread), clock_of(123456789, 0),
                          clock_of(gettid(), precise | of_thread), clock_of(gettid(), 1 | 4)})
    CHECK_ERRNO(raw_sleep(clock, 0, &time, nullptr), EINVAL);
  for (clockid_t clock : {0, 1, 2, 7, 11, clock_of(0, of_user)}) {
    CHECK_ERRNO(raw_sleep(clock, 0, (timespec*)8, nullptr), EFAULT);
    CHECK_ERRNO(raw_sleep(clock, 0, &wrong, nullptr), EINVAL);
    time = {0, 0};
    CHECK_EQ(raw_sleep(clock, 0, &time, nullptr), 0);
    CHECK_EQ(raw_sleep(clock, TIMER_ABSTIME, &time, nullptr), 0);
    CHECK_EQ(raw_sleep(clock, TIMER_ABSTIME, &time, (timespec*)8), 0);
  }
}

TEST(sleeping_by_anothers_time) {
  const pid_t worker = start_worker();
  const clockid_t clock = clock_of(worker, precise);
  uint64_t before = now(clock);
  timespec time = span(30 * ms);
  CHECK_EQ(raw_sleep(clock, 0, &time, nullptr), 0);
  CHECK(now(clock) >= before + 30 * ms);
  before = now(clock);
  time = span(before + 30 * ms);
  CHECK_EQ(raw_sleep(clock, TIMER_ABSTIME, &time, nullptr), 0);
  CHECK(now(clock) >= before + 30 * ms);
  for (int bits : {of_all, of_user}) {
    time = span(10 * ms);
    CHECK_EQ(raw_sleep(clock_of(worker, bits), 0, &time, nullptr), 0);
  }
  end(worker);
}

TEST(sleeping_by_the_processs_time_while_a_thread_works) {
  pthread_t thread;
  REQUIRE(pthread_create(&thread, nullptr, work_until_stage, nullptr) == 0);
  while (!other_tid) usleep(1000);
  const uint64_t before = now();
  timespec time = span(30 * ms);
  CHECK_EQ(raw_sleep(CLOCK_PROCESS_CPUTIME_ID, 0, &time, nullptr), 0);
  CHECK(now() >= before + 30 * ms);
  const clockid_t its = clock_of(other_tid, precise | of_thread);
  const uint64_t its_before = now(its);
  CHECK_EQ(raw_sleep(its, 0, &time, nullptr), 0);
  CHECK(now(its) >= its_before + 30 * ms);
  stage = 2;
  REQUIRE(pthread_join(thread, nullptr) == 0);
}

TEST(a_signal_ends_a_sleep_by_cpu_time) {
  const pid_t sleeper = start_sleeper();
  const clockid_t clock = clock_of(sleeper, precise);
  handle(SIGALRM);
  timespec time = span(now(clock) + 3600'000 * ms), left = {};
  itimerval soon = {{0, 0}, {0, 20'000}};
  REQUIRE(setitimer(ITIMER_REAL, &soon, nullptr) == 0);
  CHECK_ERRNO(raw_sleep(clock, TIMER_ABSTIME, &time, &left), EINTR);
  CHECK_EQ(count, 1);
  CHECK(left.tv_sec == 0 && left.tv_nsec == 0);
  time = span(3600'000 * ms);
  REQUIRE(setitimer(ITIMER_REAL, &soon, nullptr) == 0);
  CHECK_ERRNO(raw_sleep(clock, 0, &time, &left), EINTR);
  CHECK(left.tv_sec > 3500 && left.tv_sec <= 3600);
  REQUIRE(setitimer(ITIMER_REAL, &soon, nullptr) == 0);
  CHECK_ERRNO(raw_sleep(clock, 0, &time, (timespec*)8), EFAULT);
  end(sleeper);
}
