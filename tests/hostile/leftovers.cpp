// Hostile: looking for what other processes leave behind in the one piece of monitor memory that
// user code can read, the alternate stack's area. A process fills all its registers with a secret
// and calls; another, that runs next, looks for it there.
#include <sched.h>

#include "hostile.h"

using namespace hostile;

static constexpr uint64_t secret = 0x5ec2e7'c0ffee'77;

extern "C" {
void yield_with_secret(uint64_t);
void trap_with_secret(uint64_t);
}
asm(R"(
    .macro load_secret
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    movq %rdi, %xmm0
    movq %rdi, %xmm7
    movq %rdi, %xmm15
    mov %rdi, %rbx
    mov %rdi, %rbp
    mov %rdi, %rsi
    mov %rdi, %rdx
    mov %rdi, %r8
    mov %rdi, %r9
    mov %rdi, %r10
    mov %rdi, %r12
    mov %rdi, %r13
    mov %rdi, %r14
    mov %rdi, %r15
    .endm
    .macro unload_secret
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    .endm
    .text
    .globl yield_with_secret, trap_with_secret
yield_with_secret:
    load_secret
    mov $24, %eax        # sched_yield
    syscall
    unload_secret
trap_with_secret:        # no place that could be rewritten
    load_secret
    push $24
    pop %rax
    syscall
    unload_secret
)");

/// How often it is there; the reader's own copy is never whole in a register.
static long found() {
  static volatile long count;
  count = 0;
  attempt([] {
    static volatile uint64_t half = secret ^ 0xffff;
    for (uint64_t at = vmi::alt_stack_base; at < vmi::alt_stack_base + vmi::alt_stack_size; at += 8)
      if ((*(volatile uint64_t*)at ^ half) == 0xffff) count = count + 1;
  });
  return count;
}

static void look_for_the_secret_of(void (*leave)(uint64_t)) {
  const pid_t other = check::start_child([&] {
    for (;;) leave(secret);
    return 0;
  });
  long there = 0;
  for (int i = 0; i < 60; ++i) {
    // Not the same way each time: by a call that lets the other run, and by a sleep.
    i % 20 == 0 ? usleep(1000) : sched_yield();
    there += found();
  }
  kill(other, SIGKILL);
  waitpid(other, nullptr, 0);
  CHECK_EQ(there, 0);
}

TEST(registers_of_a_system_call) {
  look_for_the_secret_of(yield_with_secret);
}

TEST(registers_of_a_trap) {
  look_for_the_secret_of(trap_with_secret);
}

TEST(registers_of_one_that_computes) {
  look_for_the_secret_of([](uint64_t value) {
    for (int i = 0; i < 1000; ++i) {
      asm volatile(
          "mov %0, %%r8\n mov %0, %%r9\n mov %0, %%r12\n movq %0, %%xmm3\n movq %0, %%xmm12" ::"r"(
              value)
          : "r8", "r9", "r12", "xmm3", "xmm12");
    }
  });
}

/// More threads than there are kernel stacks at hand: some take turns on one, and it is there that
/// their registers come in.
static void look_for_the_secrets_of_many(void (*leave)(uint64_t)) {
  constexpr int many = 70;
  static pid_t others[many];
  for (pid_t& other : others) {
    other = check::start_child([&] {
      raise(SIGSTOP);
      for (;;) leave(secret);
      return 0;
    });
    REQUIRE(other > 0 && waitpid(other, nullptr, WUNTRACED) == other);
  }
  long there = 0;
  for (const pid_t other : others) {
    kill(other, SIGCONT);
    for (int i = 0; i < 4; ++i) {
      i == 2 ? usleep(1000) : sched_yield();
      there += found();
    }
    kill(other, SIGSTOP);
  }
  for (const pid_t other : others) {
    kill(other, SIGKILL);
    waitpid(other, nullptr, 0);
  }
  CHECK_EQ(there, 0);
}

TEST(registers_of_system_calls_on_the_same_stack) {
  look_for_the_secrets_of_many(yield_with_secret);
}

TEST(registers_of_traps_on_the_same_stack) {
  look_for_the_secrets_of_many(trap_with_secret);
}
