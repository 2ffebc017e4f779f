// Attempts that come back whatever happens: the other half of attempt.S. For hostile programs and
// the gate fuzzer's.
#pragma once

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>
#include <unistd.h>

#include <initializer_list>

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
inline volatile int traps, most_traps = 2000;
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
  if (number == SIGTRAP && step_over_traps && traps < most_traps) {
    traps = traps + 1;
    return;
  }
  if (attempt_context.words[6] == 0) {
    if (info->si_code <= 0) return;  // sent by another process
    dprintf(2, "signal %d (code %d) in no attempt, at %#lx, address %#lx\n", number, info->si_code,
            last.rip, last.address);
    _exit(128 + number);
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

}  // namespace hostile
