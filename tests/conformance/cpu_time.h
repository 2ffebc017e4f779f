// What tests of CPU time have in common: clocks by their numbers, work, and children that work or
// sleep. Nothing is asserted of how long anything takes: only of order, of what a clock says at
// least, and of signals that arrive.
#pragma once

#include <pthread.h>
#include <sys/syscall.h>

#include "check.h"

enum { of_all = 0, of_user = 1, precise = 2, of_thread = 4 };

/// As the kernel makes them of a number.
inline clockid_t clock_of(int number, int bits) {
  return (clockid_t)(~(unsigned)number << 3 | (unsigned)bits);
}

inline long raw_read(clockid_t clock, timespec* time) {
  return syscall(SYS_clock_gettime, clock, time);
}
inline long raw_resolution(clockid_t clock, timespec* time) {
  return syscall(SYS_clock_getres, clock, time);
}
inline long raw_sleep(clockid_t clock, int flags, const timespec* time, timespec* left) {
  return syscall(SYS_clock_nanosleep, clock, flags, time, left);
}

inline uint64_t now(clockid_t clock = CLOCK_PROCESS_CPUTIME_ID) {
  timespec time;
  REQUIRE(raw_read(clock, &time) == 0);
  return (uint64_t)time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

constexpr uint64_t ms = 1'000'000;

inline timespec span(uint64_t ns) {
  return {(time_t)(ns / 1'000'000'000), (long)(ns % 1'000'000'000)};
}

inline void compute() {
  static volatile unsigned long number = 1;
  for (int i = 0; i < 50'000; ++i) number = number * 6364136223846793005ul + 1;
}
inline void compute_for(uint64_t ns, clockid_t clock = CLOCK_PROCESS_CPUTIME_ID) {
  for (const uint64_t end = now(clock) + ns; now(clock) < end;) compute();
}

inline volatile int count;
inline siginfo_t last;

inline void handle(int number) {
  struct sigaction action = {};
  action.sa_sigaction = [](int, siginfo_t* info, void*) {
    last = *info;
    ++count;
  };
  action.sa_flags = SA_SIGINFO;
  count = 0;
  REQUIRE(sigaction(number, &action, nullptr) == 0);
}

/// A child that waits until it is killed.
inline pid_t start_sleeper() {
  return check::start_child([] {
    for (;;) pause();
    return 0;
  });
}
inline pid_t start_worker() {
  return check::start_child([] {
    for (;;) compute();
    return 0;
  });
}
inline void end(pid_t child) {
  kill(child, SIGKILL);
  REQUIRE(waitpid(child, nullptr, 0) == child);
}

inline volatile int stage;
inline volatile pid_t other_tid;

inline void* work_until_stage(void*) {
  other_tid = gettid();
  while (stage == 0) compute();
  while (stage == 1) usleep(1000);
  return nullptr;
}
