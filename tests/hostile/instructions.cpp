// Hostile: instructions that only an operating system may execute, and odd ones that everybody may.
// Each ends in the signal that the processor and Linux have for it.
#include "hostile.h"

using namespace hostile;

#define TRY_INSTRUCTION(text, expected)                                                       \
  do {                                                                                        \
    int ending = attempt([] {                                                                 \
      asm volatile(text ::"a"(0), "b"(0), "c"(0), "d"(0), "D"(0), "S"(0) : "memory", "cc");   \
    });                                                                                       \
    if (ending != (expected)) check::say("  %s: ended %d, not %d\n", text, ending, expected); \
    CHECK(ending == (expected));                                                              \
  } while (0)

TEST(privileged_instructions) {
  TRY_INSTRUCTION("hlt", SIGSEGV);
  TRY_INSTRUCTION("cli", SIGSEGV);
  TRY_INSTRUCTION("sti", SIGSEGV);
  TRY_INSTRUCTION("inb $0x60, %%al", SIGSEGV);
  TRY_INSTRUCTION("outb %%al, $0x80", SIGSEGV);
  TRY_INSTRUCTION("insb", SIGSEGV);
  TRY_INSTRUCTION("outsb", SIGSEGV);
  TRY_INSTRUCTION("mov %%cr0, %%rax", SIGSEGV);
  TRY_INSTRUCTION("mov %%rax, %%cr3", SIGSEGV);
  TRY_INSTRUCTION("mov %%cr4, %%rax", SIGSEGV);
  TRY_INSTRUCTION("mov %%dr7, %%rax", SIGSEGV);
  TRY_INSTRUCTION("rdmsr", SIGSEGV);
  TRY_INSTRUCTION("wrmsr", SIGSEGV);
  TRY_INSTRUCTION("invlpg (%%rax)", SIGSEGV);
  TRY_INSTRUCTION("wbinvd", SIGSEGV);
  TRY_INSTRUCTION("clts", SIGSEGV);
  TRY_INSTRUCTION("lgdt (%%rsp)", SIGSEGV);
  TRY_INSTRUCTION("lidt (%%rsp)", SIGSEGV);
  TRY_INSTRUCTION("lldt %%ax", SIGSEGV);
  TRY_INSTRUCTION("ltr %%ax", SIGSEGV);
  TRY_INSTRUCTION("swapgs", SIGSEGV);
  TRY_INSTRUCTION("sysretq", SIGSEGV);
  CHECK(sound(true));
}

TEST(software_interrupts) {
  TRY_INSTRUCTION("int3", SIGTRAP);
  TRY_INSTRUCTION(".byte 0xf1", SIGTRAP);  // int1
  TRY_INSTRUCTION("int $3", SIGTRAP);
  TRY_INSTRUCTION("ud2", SIGILL);
  TRY_INSTRUCTION("int $0", SIGSEGV);
  TRY_INSTRUCTION("int $1", SIGSEGV);
  TRY_INSTRUCTION("int $0x0e", SIGSEGV);
  TRY_INSTRUCTION("int $0x20", SIGSEGV);
  TRY_INSTRUCTION("int $0x81", SIGSEGV);
  TRY_INSTRUCTION("int $0xff", SIGSEGV);
  TRY_INSTRUCTION(".byte 0x06", SIGILL);  // push %es: gone in 64-bit mode
  CHECK(sound(true));
}

TEST(arithmetic_faults) {
  TRY_INSTRUCTION("div %%ebx", SIGFPE);
  CHECK_EQ(last.code, FPE_INTDIV);
  TRY_INSTRUCTION("mov $0x80000000, %%eax; cdq; mov $-1, %%ebx; idiv %%ebx", SIGFPE);
}

TEST(returns_to_nowhere) {
  TRY_INSTRUCTION("push $0; push $0; push $0; push $0; push $0; iretq", SIGSEGV);
  TRY_INSTRUCTION("push $0x2b; push $0; push $2; push $0x10; push $0; iretq", SIGSEGV);
  TRY_INSTRUCTION("push $0x10; push $0x1234; lretq", SIGSEGV);
  TRY_INSTRUCTION("push $0x33; push $0x1234; lretq", SIGSEGV);
  TRY_INSTRUCTION("mov $-1, %%eax; mov %%eax, %%ss", SIGSEGV);
  TRY_INSTRUCTION("mov $0x10, %%eax; mov %%eax, %%ds", SIGSEGV);
  CHECK(sound(true));
}

TEST(an_honest_iretq) {
  // A program may use it to return to itself.
  CHECK_EQ(
      attempt([] {
        asm volatile(
            "mov %%rsp, %%rax; push $0x2b; push %%rax; pushfq; push $0x33; lea 1f(%%rip), %%rax;"
            "push %%rax; iretq; 1:" ::
                : "rax", "memory", "cc");
      }),
      by_itself);
}

TEST(harmless_instructions) {
  uint32_t low, high;
  asm volatile("rdtsc" : "=a"(low), "=d"(high));
  asm volatile("rdtscp" : "=a"(low), "=d"(high)::"rcx");
  asm volatile("prefetcht0 (%0); prefetchnta (%1); clflush (%2)" ::"r"(vmi::window_base),
               "r"(0xffff888000000000), "r"(&low)
               : "memory");
  asm volatile("pause; lfence; mfence; sfence; nop" ::: "memory");
  asm volatile("xor %%eax, %%eax; cpuid" ::: "rax", "rbx", "rcx", "rdx");
  // Into the window it is a fault like any other access.
  CHECK_EQ(attempt([] { asm volatile("clflush (%0)" ::"r"(vmi::window_base)
                                     : "memory"); }),
           SIGSEGV);
  CHECK(sound(true));
}

TEST(segment_selectors) {
  // Loading the flat ones is allowed; they change nothing for 64-bit code.
  CHECK_EQ(attempt([] {
             asm volatile(
                 "mov %%ds, %%r8d; mov %%es, %%r9d; mov $0x2b, %%eax; mov %%eax, %%ds;"
                 "mov %%eax, %%es; mov $110, %%eax; syscall; mov %%r8d, %%ds; mov %%r9d, %%es" ::
                     : "rax", "rcx", "r8", "r9", "r11", "memory");
           }),
           by_itself);
  CHECK(sound(true));
}
