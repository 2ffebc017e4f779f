// Hostile: x87, SSE and XSAVE state that trips whoever touches it next. That must be the program
// itself, never the kernel or the monitor on its behalf.
#include <cpuid.h>
#include <setjmp.h>

#include "hostile.h"

using namespace hostile;

static long parent_by_syscall() {
  long result;
  asm volatile("mov $110, %%eax; syscall" : "=a"(result)::"rcx", "r11", "memory");
  return result;
}

static void clean() {
  unsigned mxcsr = 0x1f80;
  asm volatile("fninit; ldmxcsr %0" ::"m"(mxcsr));
}

TEST(reserved_bits_of_mxcsr) {
  for (unsigned bits : {0x10000u, 0x80000000u, 0xffffffffu}) {
    CHECK_EQ(attempt([&] { asm volatile("ldmxcsr %0" ::"m"(bits)); }), SIGSEGV);
  }
  CHECK_EQ(parent_by_syscall(), getppid());
}

TEST(unmasked_sse_exceptions) {
  CHECK_EQ(attempt([] {
             unsigned mxcsr = 0;  // all unmasked
             float one = 1, zero = 0;
             asm volatile("ldmxcsr %0" ::"m"(mxcsr));
             parent_by_syscall();
             asm volatile("movss %0, %%xmm0; divss %1, %%xmm0" ::"m"(one), "m"(zero) : "xmm0");
           }),
           SIGFPE);
  CHECK_EQ(last.code, FPE_FLTDIV);
  clean();
  CHECK(sound(true));
}

TEST(a_pending_x87_exception) {
  // The division is only noticed by the next waiting instruction; between the two lie a system
  // call, a page fault and a pre-emption, which must not be the ones to trip over it.
  static volatile long parent = 0;
  char* fresh =
      (char*)mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int ending = attempt([&] {
    unsigned short control = 0x360;  // all unmasked
    asm volatile("fninit; fldcw %0; fld1; fldz; fdivrp" ::"m"(control));
    parent = parent_by_syscall();
    *(volatile char*)fresh = 1;
    asm volatile("mov $60000000, %%ecx; 1: dec %%ecx; jnz 1b" ::: "rcx", "cc");
    asm volatile("fwait");
  });
  clean();
  CHECK_EQ(ending, SIGFPE);
  CHECK_EQ(parent, getppid());
  CHECK(sound(true));
}

TEST(a_full_x87_stack_and_mmx_mode) {
  asm volatile("fninit; fldpi; fldpi; fldpi; fldpi; fldpi; fldpi; fldpi; fldpi");
  CHECK_EQ(parent_by_syscall(), getppid());
  CHECK_EQ(attempt([] { *(volatile int*)16 = 1; }), SIGSEGV);
  asm volatile("movq %%rax, %%mm0; movq %%rax, %%mm7" ::: "mm0", "mm7");
  CHECK_EQ(parent_by_syscall(), getppid());
  clean();
}

static bool have_xsave() {
  unsigned a, b, c = 0, d;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & (1 << 27));
}

TEST(xrstor_of_garbage) {
  if (!have_xsave()) return;
  static unsigned char area[16384] __attribute__((aligned(64)));
  for (int word = 0; word < 24; ++word) {
    for (uint64_t value : {~0ul, 0x8000000000000001ul, 0x10000ul}) {
      int ending = attempt([&] {
        memset(area, 0, sizeof area);
        asm volatile("xsave64 (%0)" ::"r"(area), "a"(-1), "d"(-1) : "memory");
        ((uint64_t*)(area + 448))[word] = value;
        asm volatile("xrstor64 (%0)" ::"r"(area), "a"(-1), "d"(-1) : "memory");
        parent_by_syscall();
      });
      CHECK(ending == by_itself || ending == SIGSEGV);
    }
  }
  clean();
  CHECK_EQ(attempt([] { asm volatile("xrstor64 (%0)" ::"r"(area + 8), "a"(7), "d"(0)); }), SIGSEGV);
  CHECK_EQ(attempt([] { asm volatile("xrstor64 (%0)" ::"r"(vmi::window_base), "a"(7), "d"(0)); }),
           SIGSEGV);
  CHECK_EQ(attempt([] { asm volatile("xsave64 (%0)" ::"r"(vmi::window_base), "a"(7), "d"(0)); }),
           SIGSEGV);
  CHECK_EQ(attempt([] { asm volatile("xsetbv" ::"a"(3), "c"(0), "d"(0)); }), SIGSEGV);
  CHECK(sound(true));
}

TEST(the_initial_state_stays_initial) {
  // All components in their initial state: XSAVE leaves them out, and a reader must not take what
  // lay there before for them.
  if (!have_xsave()) return;
  static unsigned char area[16384] __attribute__((aligned(64)));
  uint64_t out[2] = {1, 1};
  memset(area, 0, sizeof area);
  asm volatile("xrstor64 (%0)" ::"r"(area), "a"(-1), "d"(-1) : "memory");
  parent_by_syscall();
  asm volatile("movdqu %%xmm7, %0" : "=m"(out));
  CHECK(out[0] == 0 && out[1] == 0);
  unsigned short control;
  asm volatile("fnstcw %0" : "=m"(control));
  CHECK_EQ(control, 0x37f);
  clean();
}
