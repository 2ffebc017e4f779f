// A tiny test frame for programs that run as guests. GoogleTest would drag half of libc and all of
// libstdc++ into what is under test, so this needs fork, wait, write and exit, nothing more.
//
// Each TEST runs in a child of its own; the program prints one line for each and exits with 1 when
// one failed. What it prints must be the same on every host: the driver compares it with the
// native run. Called by main() below, which each topic gets by including this file once.
//   topic             runs all tests
//   topic NAME...     runs these, in children
//   topic -1 NAME     runs one in the program's own process (for a debugger, or without fork)
#pragma once

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <initializer_list>

namespace check {

struct Test {
  const char* name;
  void (*run)();
  Test* next;
};

inline Test* first_test = nullptr;
inline int failures = 0;
inline const char* self_path = nullptr;  // argv[0]: tests exec it again with "--helper"

struct Registration {
  Test test;
  Registration(const char* name, void (*run)()) : test{name, run, nullptr} {
    Test** end = &first_test;
    while (*end) end = &(*end)->next;
    *end = &test;
  }
};

/// One write a line: lines of several processes never mix.
[[gnu::format(printf, 1, 2)]] inline void say(const char* format, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (length > (int)sizeof line - 1) length = sizeof line - 1;
  if (write(1, line, length) != length) _exit(99);
}

inline bool report(bool good, const char* file, int line, const char* text, long got, long wanted) {
  if (good) return true;
  ++failures;
  const char* base = strrchr(file, '/');
  say("  %s:%d: %s: got %ld, wanted %ld (errno %d)\n", base ? base + 1 : file, line, text, got,
      wanted, errno);
  return false;
}

/// Forks, runs `body` there, exits with its value (or 70 when a check in it failed).
template <class Body>
pid_t start_child(Body body) {
  pid_t pid = fork();
  if (pid != 0) return pid;
  failures = 0;
  int value = body();
  _exit(failures ? 70 : value);
}

/// The same, and waits: the wait status.
template <class Body>
int in_child(Body body) {
  int status = -1;
  pid_t pid = start_child(body);
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

/// Seconds a test may take; the alarm makes a hung test name itself.
#ifndef CHECK_SECONDS
#define CHECK_SECONDS 30
#endif

inline void run_one(const Test& test, void (*wrapper)(void (*)())) {
  say("%s: ", test.name);
  pid_t pid = fork();
  if (pid == 0) {
    failures = 0;
    alarm(CHECK_SECONDS);
    wrapper ? wrapper(test.run) : test.run();
    _exit(failures ? 1 : 0);
  }
  int status = -1;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (status == 0) {
    say("ok\n");
    return;
  }
  ++failures;
  if (WIFSIGNALED(status)) {
    say("%s: FAILED, killed by signal %d\n", test.name, WTERMSIG(status));
  } else {
    say("%s: FAILED\n", test.name);
  }
}

inline bool wanted(const Test& test, int argc, char** argv) {
  if (argc < 2) return true;
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], test.name) == 0) return true;
  }
  return false;
}

}  // namespace check

/// A topic that execs itself defines this; argv is what follows "--helper".
int helper(int argc, char** argv) __attribute__((weak));
/// Hostile programs run their tests through this.
void run_test_body(void (*body)()) __attribute__((weak));

int main(int argc, char** argv) {
  check::self_path = argv[0];
  if (argc > 1 && strcmp(argv[1], "--helper") == 0 && helper) return helper(argc - 2, argv + 2);
  bool inline_run = argc > 2 && strcmp(argv[1], "-1") == 0;
  for (check::Test* test = check::first_test; test; test = test->next) {
    if (!check::wanted(*test, argc, argv)) continue;
    if (inline_run) {
      run_test_body ? run_test_body(test->run) : test->run();
    } else {
      check::run_one(*test, run_test_body);
    }
  }
  check::say("%s\n", check::failures ? "FAILED" : "all passed");
  return check::failures ? 1 : 0;
}

#define TEST(name)                                                    \
  static void test_##name();                                          \
  static check::Registration registration_##name(#name, test_##name); \
  static void test_##name()

/// Checks go on after a failure; REQUIRE ends the test.
#define CHECK(condition) check::report(!!(condition), __FILE__, __LINE__, #condition, 0, 1)
#define CHECK_EQ(got, wanted)                                                                    \
  ({                                                                                             \
    long check_got = (long)(got), check_wanted = (long)(wanted);                                 \
    check::report(check_got == check_wanted, __FILE__, __LINE__, #got, check_got, check_wanted); \
  })
#define REQUIRE(condition)           \
  do {                               \
    if (!CHECK(condition)) _exit(1); \
  } while (0)
/// A call that must fail with this errno.
#define CHECK_ERRNO(call, error)                                                            \
  ({                                                                                        \
    errno = 0;                                                                              \
    long check_result = (long)(call);                                                       \
    check::report(check_result == -1 && errno == (error), __FILE__, __LINE__, #call, errno, \
                  error);                                                                   \
  })
/// Wait statuses.
#define CHECK_EXITED(status, code)                                                          \
  ({                                                                                        \
    int check_status = (status);                                                            \
    check::report(WIFEXITED(check_status) && WEXITSTATUS(check_status) == (code), __FILE__, \
                  __LINE__, #status, check_status, (code) << 8);                            \
  })
#define CHECK_KILLED(status, signal)                                                         \
  ({                                                                                         \
    int check_status = (status);                                                             \
    check::report(WIFSIGNALED(check_status) && WTERMSIG(check_status) == (signal), __FILE__, \
                  __LINE__, #status, check_status, signal);                                  \
  })
