// Conformance, what a signal handler may spoil without the interrupted program noticing: every
// integer register, the flags, x87, SSE and AVX state, and what the frame shows and lets change.
#include <cpuid.h>
#include <immintrin.h>
#include <ucontext.h>

#include "check.h"

static volatile int count;

static void handle(int number, void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action = {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO;
  REQUIRE(sigaction(number, &action, nullptr) == 0);
}

static bool have_avx() {
  return __builtin_cpu_supports("avx");
}
static bool have_avx512() {
  return __builtin_cpu_supports("avx512f");
}

/// Spoils all vector state there is, the way a busy handler would.
static void spoil() {
  asm volatile("pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm7, %%xmm7; pcmpeqd %%xmm15, %%xmm15" ::
                   : "xmm0", "xmm7", "xmm15");
  if (have_avx()) asm volatile("vzeroall" ::: "memory");
  if (have_avx512()) {
    asm volatile(
        "vpternlogd $0xff, %%zmm3, %%zmm3, %%zmm3; vpternlogd $0xff, %%zmm31, %%zmm31, %%zmm31;"
        "kxnorw %%k1, %%k1, %%k1" ::
            : "memory");
  }
  unsigned mxcsr = 0x1fc0;
  unsigned short control = 0x0f7f;
  asm volatile("ldmxcsr %0; fninit; fldcw %1; fldpi" ::"m"(mxcsr), "m"(control));
  ++count;
}

TEST(integer_registers_and_flags) {
  handle(SIGUSR1, [](int, siginfo_t*, void*) {
    asm volatile("xor %%eax,%%eax; mov %%rax,%%r8; mov %%rax,%%r9; mov %%rax,%%r10" ::
                     : "rax", "r8", "r9", "r10");
    ++count;
  });
  uint64_t wrong;
  // kill(getpid(), SIGUSR1): every register but rax, rcx, r11 comes back; so do carry and
  // direction flag.
  asm volatile(R"(
      push %%rbp
      mov %%esi, %%r14d
      mov $1, %%rbx
      mov $3, %%rdx
      mov $8, %%r8
      mov $9, %%r9
      mov $10, %%r10
      mov $12, %%r12
      mov $13, %%r13
      mov $15, %%r15
      mov $16, %%rbp
      stc
      std
      mov $62, %%eax
      syscall
      pushfq
      pop %%rcx
      cld
      xor $1, %%rbx
      xor $3, %%rdx
      xor $8, %%r8
      xor $9, %%r9
      xor $10, %%r10
      xor $12, %%r12
      xor $13, %%r13
      xor $15, %%r15
      xor $16, %%rbp
      xor %%esi, %%r14d
      and $0x401, %%ecx
      xor $0x401, %%ecx
      or %%rbx, %%rcx
      or %%rdx, %%rcx
      or %%r8, %%rcx
      or %%r9, %%rcx
      or %%r10, %%rcx
      or %%r12, %%rcx
      or %%r13, %%rcx
      or %%r14, %%rcx
      or %%r15, %%rcx
      or %%rbp, %%rcx
      or %%rax, %%rcx
      pop %%rbp)"
               : "=c"(wrong)
               : "D"(getpid()), "S"((long)SIGUSR1)
               : "rax", "rbx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc",
                 "memory");
  CHECK_EQ(wrong, 0);
  CHECK_EQ(count, 1);
}

TEST(red_zone_is_respected) {
  handle(SIGSEGV, [](int, siginfo_t*, void* context) {
    ((ucontext_t*)context)->uc_mcontext.gregs[REG_RAX] = (greg_t)&count;
    ++count;
  });
  uint64_t value;
  asm volatile(
      "movq $77, -128(%%rsp); movq $1, -8(%%rsp); mov $16, %%eax; incl (%%rax);"
      "mov -128(%%rsp), %0; add -8(%%rsp), %0"
      : "=r"(value)
      :
      : "rax", "memory", "cc");
  CHECK_EQ(value, 78);
  CHECK_EQ(count, 2);
}

TEST(sse_and_mxcsr) {
  handle(SIGUSR1, [](int, siginfo_t*, void*) { spoil(); });
  uint32_t mxcsr = 0x3f80, after = 0;
  uint64_t low[2] = {0x1111222233334444, 0x5555666677778888}, out[4] = {};
  asm volatile(
      "ldmxcsr %[in]; movdqu %[low], %%xmm0; movdqu %[low], %%xmm15; mov $62, %%eax; syscall;"
      "movdqu %%xmm0, %[out]; movdqu %%xmm15, 16+%[out]; stmxcsr %[after]"
      : [out] "=m"(out), [after] "=m"(after)
      : [in] "m"(mxcsr), [low] "m"(low), "D"(getpid()), "S"((long)SIGUSR1)
      : "rax", "rcx", "r11", "xmm0", "xmm15", "memory");
  CHECK_EQ(count, 1);
  CHECK(memcmp(out, low, 16) == 0 && memcmp(out + 2, low, 16) == 0);
  CHECK_EQ(after & ~0x3f, 0x3f80);
}

TEST(x87_stack_and_control_word) {
  handle(SIGUSR1, [](int, siginfo_t*, void*) { spoil(); });
  unsigned short control = 0x027f, after = 0;
  double top = 0, below = 0;
  asm volatile(
      "fninit; fldcw %[in]; fldpi; fld1; mov $62, %%eax; syscall;"
      "fstpl %[top]; fstpl %[below]; fnstcw %[after]"
      : [top] "=m"(top), [below] "=m"(below), [after] "=m"(after)
      : [in] "m"(control), "D"(getpid()), "S"((long)SIGUSR1)
      : "rax", "rcx", "r11", "memory");
  CHECK_EQ(count, 1);
  CHECK(top == 1.0 && below > 3.14 && below < 3.15);
  CHECK_EQ(after, 0x027f);
}

TEST(avx_upper_halves) {
  if (!have_avx()) return;
  handle(SIGUSR1, [](int, siginfo_t*, void*) { spoil(); });
  uint64_t in[4] = {1, 2, 3, 4}, out[8] = {};
  asm volatile(
      "vmovdqu %[in], %%ymm1; vmovdqu %[in], %%ymm14; mov $62, %%eax; syscall;"
      "vmovdqu %%ymm1, %[out]; vmovdqu %%ymm14, 32+%[out]; vzeroupper"
      : [out] "=m"(out)
      : [in] "m"(in), "D"(getpid()), "S"((long)SIGUSR1)
      : "rax", "rcx", "r11", "xmm1", "xmm14", "memory");
  CHECK_EQ(count, 1);
  CHECK(memcmp(out, in, 32) == 0 && memcmp(out + 4, in, 32) == 0);
}

TEST(avx512_registers_and_masks) {
  if (!have_avx512()) return;
  handle(SIGUSR1, [](int, siginfo_t*, void*) { spoil(); });
  uint64_t in[8] = {1, 2, 3, 4, 5, 6, 7, 8}, out[16] = {};
  unsigned mask = 0;
  asm volatile(
      "vmovdqu64 %[in], %%zmm3; vmovdqu64 %[in], %%zmm31; mov $0xabc, %%ecx; kmovw %%ecx, %%k1;"
      "mov $62, %%eax; syscall; kmovw %%k1, %[mask];"
      "vmovdqu64 %%zmm3, %[out]; vmovdqu64 %%zmm31, 64+%[out]; vzeroupper"
      : [out] "=m"(out), [mask] "=r"(mask)
      : [in] "m"(in), "D"(getpid()), "S"((long)SIGUSR1)
      : "rax", "rcx", "r11", "xmm3", "memory");
  CHECK_EQ(count, 1);
  CHECK(memcmp(out, in, 64) == 0 && memcmp(out + 8, in, 64) == 0);
  CHECK_EQ(mask, 0xabc);
}

TEST(a_handler_may_change_registers) {
  handle(SIGILL, [](int, siginfo_t*, void* raw) {
    auto& registers = ((ucontext_t*)raw)->uc_mcontext.gregs;
    registers[REG_RIP] += 2;
    registers[REG_RBX] += 100;
    registers[REG_EFL] |= 1;
    ++count;
  });
  uint64_t value = 5;
  bool carry = false;
  asm volatile("clc; ud2; setc %1" : "+b"(value), "=q"(carry) : : "memory", "cc");
  CHECK_EQ(value, 105);
  CHECK(carry);
}

TEST(a_handler_may_change_vector_registers) {
  handle(SIGILL, [](int, siginfo_t*, void* raw) {
    auto* context = (ucontext_t*)raw;
    context->uc_mcontext.gregs[REG_RIP] += 2;
    context->uc_mcontext.fpregs->_xmm[5].element[0] = 0x1234;
    context->uc_mcontext.fpregs->mxcsr |= 0x8000;
  });
  uint32_t value = 0, mxcsr = 0;
  asm volatile("pxor %%xmm5, %%xmm5; ud2; movd %%xmm5, %0; stmxcsr %1"
               : "=r"(value), "=m"(mxcsr)
               :
               : "xmm5", "memory");
  CHECK_EQ(value, 0x1234);
  CHECK(mxcsr & 0x8000);
}

TEST(the_frame_shows_the_fault) {
  static volatile uintptr_t rip, cr2;
  static volatile long error, trap;
  handle(SIGSEGV, [](int, siginfo_t*, void* raw) {
    auto& registers = ((ucontext_t*)raw)->uc_mcontext.gregs;
    rip = registers[REG_RIP];
    cr2 = registers[REG_CR2];
    error = registers[REG_ERR];
    trap = registers[REG_TRAPNO];
    registers[REG_RIP] += 2;
  });
  uintptr_t here;
  asm volatile("lea 1f(%%rip), %0; mov $0x60, %%eax; 1: movb %%al, (%%rax)" : "=r"(here) : : "rax");
  CHECK_EQ(rip, here);
  CHECK_EQ(cr2, 0x60);
  CHECK_EQ(trap, 14);
  CHECK_EQ(error, 6);  // user, write, not present
}

TEST(a_handler_starts_with_clean_flags_and_control_words) {
  static volatile unsigned flags, mxcsr;
  static volatile unsigned short control;
  handle(SIGUSR1, [](int, siginfo_t*, void*) {
    unsigned short word;
    unsigned vector;
    unsigned long value;
    asm volatile("pushfq; pop %0; stmxcsr %1; fnstcw %2" : "=r"(value), "=m"(vector), "=m"(word));
    flags = (unsigned)value;
    mxcsr = vector;
    control = word;
  });
  asm volatile("std; mov $62, %%eax; syscall; cld" ::"D"(getpid()), "S"((long)SIGUSR1)
               : "rax", "rcx", "r11", "memory");
  CHECK_EQ(flags & 0x500, 0);  // neither TF nor DF
  CHECK_EQ(mxcsr & ~0x3f, 0x1f80);
  CHECK_EQ(control, 0x37f);
}
