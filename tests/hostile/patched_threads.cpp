// Hostile: threads that make the same calls at once, from code that a monitor rewrites under them
// (trap=direct), while others send them signals, map other code in its place, fork, and clone from
// such a call. Each of them gets its own answers, and is never seen where no code of its own is.
#include <pthread.h>

#include "code_pages.h"

static constexpr unsigned char tid_code[] = {0xb8, SYS_gettid, 0, 0, 0, 0x0f, 0x05, ret},
                               clone_code[] = {0xb8, SYS_clone, 0, 0, 0, 0x0f, 0x05, ret};
static constexpr uint64_t high_base = 0x7ffe'e000'0000;

static Page page_of_sites(const Page& with_first) {
  Page code = with_first;
  for (uint64_t at = 0x400; at < 0xc00; at += 32) code.with(at, tid_code);
  return code;
}

static volatile bool over, wrong;
static volatile long strays, signals;

/// Programs are linked to low memory; nothing of theirs lies beyond the stack.
static void on_usr1(int, siginfo_t*, void* raw) {
  const auto rip = (uint64_t)((ucontext_t*)raw)->uc_mcontext.gregs[REG_RIP];
  if (rip < 0x400000 || rip >= vmi::user_end) strays = strays + 1;
  signals = signals + 1;
}

struct Caller {
  pthread_t thread;
  uint64_t page;
  volatile long tid;
};

/// What is there may be this or that code at any time.
static void* call_on(void* raw) {
  auto& self = *(Caller*)raw;
  self.tid = syscall(SYS_gettid);
  const long pid = getpid();
  for (unsigned i = 0; !over; ++i) {
    const uint64_t at = self.page + (i % 3 == 0 ? site_offset : 0x400 + i % 64 * 32);
    const long result = call_code(at, 0, -1);
    if (result != self.tid && !(i % 3 == 0 && result == pid)) wrong = true;
    if (i % 512 == 0) sched_yield();
  }
  return nullptr;
}

static void for_a_while(void (*disturb)(int), Caller* callers, int count) {
  struct sigaction action = {};
  action.sa_sigaction = on_usr1;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  REQUIRE(sigaction(SIGUSR1, &action, nullptr) == 0);
  for (int i = 0; i < count; ++i)
    REQUIRE(pthread_create(&callers[i].thread, nullptr, call_on, &callers[i]) == 0);
  for (int i = 0; i < 60; ++i) {
    usleep(3000);
    for (int j = 0; j < count; ++j) pthread_kill(callers[j].thread, SIGUSR1);
    disturb(i);
  }
  over = true;
  for (int i = 0; i < count; ++i) REQUIRE(pthread_join(callers[i].thread, nullptr) == 0);
  CHECK(!wrong);
  CHECK(signals > 0);
  CHECK_EQ(strays, 0);
}

TEST(same_sites_other_code_in_their_place_forks) {
  static const Page tids = page_of_sites(Page(nop).with(site_offset, tid_code)),
                    pids = page_of_sites(Page(nop).with(site_offset, long_code));
  for (uint64_t at : {base, high_base}) map_code(tids, at);
  Caller callers[4] = {{0, base, 0}, {0, base, 0}, {0, high_base, 0}, {0, high_base, 0}};
  for_a_while(
      [](int i) {
        for (uint64_t at : {base, high_base}) map_code(i % 2 ? tids : pids, at);
        if (i % 6 != 0) return;
        CHECK_EXITED(check::in_child([] {
                       const long self = getpid();
                       for (uint64_t at : {base, high_base})
                         for (int j = 0; j < 50; ++j)
                           if (call_code(at + 0x400 + j * 32, 0, 0) != self) return 1;
                       return 0;
                     }),
                     0);
      },
      callers, 4);
}

/// The code is made writable, and text again, page by page: patches go and come.
TEST(sites_that_are_written_over) {
  map_code(page_of_sites(Page(nop).with(site_offset, tid_code)));
  Caller callers[3] = {{0, base, 0}, {0, base, 0}, {0, base, 0}};
  for_a_while(
      [](int i) {
        const char number = i % 2 ? SYS_gettid : SYS_getpid;
        REQUIRE(mprotect((void*)base, page, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
        ((volatile char*)site)[1] = number;
        REQUIRE(mprotect((void*)base, page, PROT_READ | PROT_EXEC) == 0);
        if (i % 8 == 7) map_code(page_of_sites(Page(nop).with(site_offset, tid_code)));
      },
      callers, 3);
}

// -- Threads that begin in a patched call.

extern "C" {
long clone_from(uint64_t at, long flags, uint64_t* stack_top, volatile int* tid, volatile int* end);
extern const char cloned[];
}
asm(R"(
    .text
    .globl clone_from, cloned
clone_from:
    push %rbx
    push %r12
    mov %rdi, %rbx
    mov %rcx, %r12          # for the new thread
    mov %rsi, %rdi
    lea cloned(%rip), %rax
    mov %rax, -8(%rdx)      # where its `ret` leads
    lea -8(%rdx), %rsi
    mov %r8, %r10
    xor %edx, %edx
    call *%rbx
    pop %r12
    pop %rbx
    ret
cloned:
    mov $186, %eax
    syscall
    mov %eax, (%r12)
    mov $60, %eax
    xor %edi, %edi
    syscall
    hlt
)");

TEST(threads_begin_at_a_site) {
  constexpr long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                         CLONE_SYSVSEM | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
  static uint64_t stack[512];
  for (uint64_t at : {base, high_base}) {
    map_code(Page(nop).with(site_offset, clone_code), at);
    for (int i = 0; i < 300; ++i) {
      volatile int tid = 0, alive = 1;
      const long made = clone_from(at + site_offset, flags, stack + 512, &tid, &alive);
      REQUIRE(made > 0);
      while (alive != 0 || tid == 0) sched_yield();
      REQUIRE(tid == made);
      if (i % 20 == 0) usleep(2000);
    }
  }
}
