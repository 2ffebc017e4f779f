// What hostile guest programs share: attempts that come back whatever happens, and sweeps over many
// of them in children that may die. Tests and their output are conformance/check.h's: what is
// printed is the same natively and under every monitor, because guest code, whatever it does, may
// only ever do to itself what it could do on a bare machine.
//
// Environment: HOSTILE_STRIDE=N tries every Nth address only (a trap costs 85 us in the baseline);
// HOSTILE_NESTED=1 does everything in a forked child, inside a signal handler; HOSTILE_TALK=1 says
// on stderr how the attempts ended.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define CHECK_SECONDS 120
#include "../conformance/check.h"
#include "attempt.h"
#include "vmi/address_map.h"

namespace hostile {

inline bool may_harm_itself;  // what is tried are system calls like any others

/// A stack of nothing but ways home, for `ret`s of any kind.
inline uint64_t pad_stack() {
  static uint64_t stack[1024] __attribute__((aligned(64)));
  for (uint64_t& slot : stack) slot = (uint64_t)landing_pad;
  return (uint64_t)&stack[512];
}

inline bool read_faults(uint64_t at) {
  return attempt([&] { (void)*(volatile char*)at; }) == SIGSEGV;
}
inline bool write_faults(uint64_t at) {
  return attempt([&] { *(volatile char*)at = 1; }) == SIGSEGV;
}

/// Is this process still what it was? Cheap; once in a while also what costs more.
inline bool sound(bool thorough) {
  static volatile long canary[4] = {11, 22, 33, 44};
  static const pid_t pid = getpid();
  if (canary[0] + canary[1] + canary[2] + canary[3] != 110) return false;
  if (!thorough) return true;
  int ends[2];
  char byte = 0;
  if (getpid() != pid && pid != getppid()) return false;
  if (pipe(ends) != 0 || write(ends[1], "s", 1) != 1 || read(ends[0], &byte, 1) != 1) return false;
  close(ends[0]);
  close(ends[1]);
  return byte == 's';
}

struct Progress {
  volatile long at;
  volatile long endings[300];
  volatile bool unsound;
};

/// The sweep in the child: from `progress.at` on.
template <class Body>
void sweep_on(Progress& progress, long count, long stride, Body& body) {
  arm();
  for (; progress.at < count; progress.at = progress.at + stride) {
    int ending = attempt([&] { body(progress.at); });
    progress.endings[ending] = progress.endings[ending] + 1;
    if (!may_harm_itself && !sound(progress.at % 64 == 0)) progress.unsound = true;
  }
  _exit(0);
}

/// Waits for a child that may hang: false when it made no step for five seconds and was killed.
inline bool wait_for(pid_t child, const Progress& progress) {
  long seen = -1;
  for (int idle = 0; idle < 1000;) {
    int status;
    pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) return true;
    usleep(5000);
    idle = progress.at == seen ? idle + 1 : 0;
    seen = progress.at;
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return false;
}

/// body(0), body(stride), … each as an attempt, in a child; when one kills the child (it may) or
/// hangs, the next child goes on behind it. Afterwards this process must still be sound.
template <class Body>
void sweep(const char* name, long count, long stride, Body body) {
  auto* progress = (Progress*)mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(progress != MAP_FAILED);
  long deaths = 0, hangs = 0;
  while (progress->at < count) {
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) sweep_on(*progress, count, stride, body);
    if (!wait_for(child, *progress)) ++hangs;
    if (progress->at < count) {
      ++deaths;
      progress->at = progress->at + stride;
    }
  }
  if (environment("HOSTILE_TALK", 0)) {
    dprintf(2, "%s: %ld deaths, %ld hangs;", name, deaths, hangs);
    for (int i = 0; i < 300; ++i) {
      if (progress->endings[i]) dprintf(2, " %ld ended %d", progress->endings[i], i);
    }
    dprintf(2, "\n");
  }
  CHECK(!progress->unsound);
  CHECK(sound(true));
  munmap(progress, sizeof(Progress));
}

/// Every Nth of what is cheap to try everywhere.
inline long stride(long step) {
  return step * environment("HOSTILE_STRIDE", 1);
}

}  // namespace hostile

/// check.h runs each test through this: as it is, or in a handler in a child of a child.
void run_test_body(void (*body)()) {
  if (!hostile::environment("HOSTILE_NESTED", 0)) {
    hostile::arm();
    return body();
  }
  static void (*nested)();
  nested = body;
  int status = check::in_child([] {
    signal(SIGUSR2, [](int) {
      hostile::arm();
      nested();
    });
    return raise(SIGUSR2);
  });
  CHECK_EXITED(status, 0);
}
