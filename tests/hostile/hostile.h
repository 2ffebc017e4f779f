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
#include <ucontext.h>

#define CHECK_SECONDS 120
#include "../conformance/check.h"
#include "vmi/address_map.h"

struct Context {
  uint64_t words[8];
};

/// In hostile_jump's order.
struct Registers {
  uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15, rflags;
};

extern "C" {
inline Context attempt_context;
int save_context(Context*) __attribute__((returns_twice));
[[noreturn]] void load_context(Context*, int);
void landing_pad();
void hostile_jump(const Registers*, uint64_t target);
void mark_last_trap();
void hostile_jump_unmarked(const Registers*, uint64_t target);
void hostile_call(const Registers*, uint64_t target);
}

namespace hostile {

inline constexpr uint64_t page = 4096;
/// How an attempt ended: 0 by itself, the number of a signal, or one of these.
enum Ending { by_itself = 0, by_landing = 256, by_replay = 257 };

struct Fault {
  int signal, code;
  uint64_t address, rip, rsp;
};
inline volatile Fault last;
inline volatile bool step_over_traps;  // SIGTRAP goes on instead of ending the attempt
inline volatile int traps;
inline bool may_harm_itself;  // what is tried are system calls like any others
inline char handler_stack[65536] __attribute__((aligned(64)));

inline long environment(const char* name, long otherwise) {
  const char* value = getenv(name);
  return value ? atol(value) : otherwise;
}

inline void on_signal(int number, siginfo_t* info, void* raw) {
  auto* context = (ucontext_t*)raw;
  last.signal = number;
  last.code = info->si_code;
  last.address = (uint64_t)info->si_addr;
  last.rip = context->uc_mcontext.gregs[REG_RIP];
  last.rsp = context->uc_mcontext.gregs[REG_RSP];
  if (number == SIGTRAP && step_over_traps && traps < 2000) {
    traps = traps + 1;
    return;
  }
  load_context(&attempt_context, number);
}

/// No handler is left on a stack that the guest's altstack bookkeeping believes in use, and no
/// signal stays blocked, when load_context leaves it: SA_NODEFER, and rsp is elsewhere again.
inline void arm() {
  stack_t stack = {handler_stack, 0, sizeof handler_stack};
  sigaltstack(&stack, nullptr);
  struct sigaction action = {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  for (int number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS}) {
    sigaction(number, &action, nullptr);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// Attempts nest: an inner one ends before the outer one goes on.
template <class Body>
[[gnu::noinline]] int attempt(Body body) {
  volatile Context outer;
  for (int i = 0; i < 8; ++i) outer.words[i] = attempt_context.words[i];
  last.signal = 0;
  traps = 0;
  volatile int ending = save_context(&attempt_context);
  if (ending == by_itself) body();
  for (int i = 0; i < 8; ++i) attempt_context.words[i] = outer.words[i];
  return ending;
}

/// A stack of nothing but ways home, for `ret`s of any kind.
inline uint64_t pad_stack() {
  static uint64_t stack[1024] __attribute__((aligned(64)));
  for (uint64_t& slot : stack) slot = (uint64_t)landing_pad;
  return (uint64_t)&stack[512];
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
