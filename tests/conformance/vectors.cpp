// Conformance, vector and floating-point state: it survives system calls, page faults, copy on
// write and pre-emption, and no process ever sees another's.
#include <math.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "check.h"

static bool have_avx() {
  return __builtin_cpu_supports("avx");
}
static bool have_avx512() {
  return __builtin_cpu_supports("avx512f");
}

/// One round: loads a pattern made of `seed` into many registers, calls the kernel (or spins, when
/// `number` is negative), and says whether all of it is still there.
static bool sse_round(uint64_t seed, long number) {
  uint64_t in[2] = {seed, ~seed}, out[8] = {};
  asm volatile(R"(
      movdqu %[in], %%xmm1
      movdqu %[in], %%xmm6
      movdqu %[in], %%xmm11
      movdqu %[in], %%xmm15
      test %[n], %[n]
      js 1f
      mov %[n], %%rax
      syscall
      jmp 3f
    1: mov $20000, %%ecx
    2: dec %%ecx
      jnz 2b
    3: movdqu %%xmm1, %[out]
      movdqu %%xmm6, 16+%[out]
      movdqu %%xmm11, 32+%[out]
      movdqu %%xmm15, 48+%[out])"
               : [out] "=m"(out)
               : [in] "m"(in), [n] "r"(number)
               : "rax", "rcx", "r11", "xmm1", "xmm6", "xmm11", "xmm15", "memory", "cc");
  for (int i = 0; i < 8; ++i) {
    if (out[i] != in[i & 1]) return false;
  }
  return true;
}

static bool avx_round(uint64_t seed) {
  uint64_t in[4] = {seed, seed + 1, seed + 2, seed + 3}, out[8] = {};
  asm volatile(R"(
      vmovdqu %[in], %%ymm2
      vmovdqu %[in], %%ymm13
      mov $20000, %%ecx
    2: dec %%ecx
      jnz 2b
      mov $110, %%eax
      syscall
      vmovdqu %%ymm2, %[out]
      vmovdqu %%ymm13, 32+%[out]
      vzeroupper)"
               : [out] "=m"(out)
               : [in] "m"(in)
               : "rax", "rcx", "r11", "xmm2", "xmm13", "memory", "cc");
  return memcmp(out, in, 32) == 0 && memcmp(out + 4, in, 32) == 0;
}

static bool avx512_round(uint64_t seed) {
  uint64_t in[8], out[16] = {};
  for (int i = 0; i < 8; ++i) in[i] = seed * (i + 1);
  uint32_t mask;
  asm volatile(R"(
      vmovdqu64 %[in], %%zmm4
      vmovdqu64 %[in], %%zmm29
      mov %k[seed], %%ecx
      kmovw %%ecx, %%k2
      mov $20000, %%ecx
    2: dec %%ecx
      jnz 2b
      mov $110, %%eax
      syscall
      vmovdqu64 %%zmm4, %[out]
      vmovdqu64 %%zmm29, 64+%[out]
      kmovw %%k2, %[mask]
      vzeroupper)"
               : [out] "=m"(out), [mask] "=r"(mask)
               : [in] "m"(in), [seed] "r"(seed)
               : "rax", "rcx", "r11", "xmm4", "memory", "cc");
  return memcmp(out, in, 64) == 0 && memcmp(out + 8, in, 64) == 0 && mask == (seed & 0xffff);
}

static bool x87_round(int seed) {
  int out = 0;
  unsigned short control = 0x37f, after = 0;
  asm volatile(R"(
      fninit
      fldcw %[control]
      fildl %[seed]
      fld1
      mov $20000, %%ecx
    2: dec %%ecx
      jnz 2b
      mov $110, %%eax
      syscall
      faddp
      fistpl %[out]
      fnstcw %[after])"
               : [out] "=m"(out), [after] "=m"(after)
               : [seed] "m"(seed), [control] "m"(control)
               : "rax", "rcx", "r11", "memory", "cc");
  return out == seed + 1 && after == control;
}

TEST(system_calls_leave_registers_alone) {
  for (int i = 0; i < 200; ++i) {
    REQUIRE(sse_round(i * 0x0101010101010101ul, SYS_getppid));
    REQUIRE(sse_round(i, 1000));  // unknown numbers, too
  }
  for (int i = 0; i < 20; ++i) {
    CHECK(sse_round(i * 0x1111111111111111ul, SYS_sched_yield));
    CHECK(x87_round(i));
    if (have_avx()) CHECK(avx_round(i * 0x0123456789abcdeful));
    if (have_avx512()) CHECK(avx512_round(i * 0x13579bdf02468aceul));
  }
}

TEST(page_faults_leave_registers_alone) {
  char* p =
      (char*)mmap(nullptr, 64 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uint64_t in[2] = {0x1234567812345678, 0x9abcdef09abcdef0}, out[2];
  asm volatile(R"(
      movdqu %[in], %%xmm9
      mov $64, %%ecx
    1: movb $1, (%%rdi)
      add $4096, %%rdi
      dec %%ecx
      jnz 1b
      movdqu %%xmm9, %[out])"
               : [out] "=m"(out), "+D"(p)
               : [in] "m"(in)
               : "rcx", "xmm9", "memory", "cc");
  CHECK(memcmp(in, out, 16) == 0);
}

TEST(a_child_starts_with_its_parents_registers) {
  uint64_t in[2] = {0x1111, 0x2222}, out[2] = {};
  long pid;
  asm volatile("movdqu %[in], %%xmm3; mov $57, %%eax; syscall; movdqu %%xmm3, %[out]"
               : [out] "=m"(out), "=a"(pid)
               : [in] "m"(in)
               : "rcx", "r11", "xmm3", "memory");
  bool same = memcmp(in, out, 16) == 0;
  if (pid == 0) _exit(same ? 0 : 1);
  CHECK(same);
  int status;
  CHECK_EQ(waitpid((pid_t)pid, &status, 0), pid);
  CHECK_EXITED(status, 0);
}

TEST(busy_processes_do_not_mix) {
  constexpr int processes = 3;
  for (int i = 0; i < processes; ++i) {
    check::start_child([&] {
      uint64_t seed = 0x1111111111111111 * (i + 1);
      timespec start, t;
      clock_gettime(CLOCK_MONOTONIC, &start);
      do {  // long enough to be pre-empted many times: the guest's tick is 10 ms
        if (!sse_round(seed, -1) || !x87_round(i * 1000 + 7)) return 1;
        if (have_avx() && !avx_round(seed)) return 2;
        if (have_avx512() && !avx512_round(seed)) return 3;
        clock_gettime(CLOCK_MONOTONIC, &t);
      } while ((t.tv_sec - start.tv_sec) * 1000 + (t.tv_nsec - start.tv_nsec) / 1000000 < 400);
      return 0;
    });
  }
  int status;
  for (int i = 0; i < processes; ++i) {
    CHECK(wait(&status) > 0);
    CHECK_EXITED(status, 0);
  }
}

/// Fills registers, gives the CPU away from a place that always makes the same call, looks.
static bool keeps_across_yield(uint64_t seed) {
  uint64_t in[2] = {seed, ~seed}, out[4] = {};
  asm volatile(R"(
      movdqu %[in], %%xmm5
      movdqu %[in], %%xmm14
      mov $24, %%eax
      syscall
      movdqu %%xmm5, %[out]
      movdqu %%xmm14, 16+%[out])"
               : [out] "=m"(out)
               : [in] "m"(in)
               : "rax", "rcx", "r11", "xmm5", "xmm14", "memory", "cc");
  return memcmp(out, in, 16) == 0 && memcmp(out + 2, in, 16) == 0;
}

static volatile bool handler_kept;
static void on_signal(int) {
  handler_kept = keeps_across_yield(0x5a5a);
}

/// In one address space with its parent for as long as it lives.
static bool child_of_vfork(uint64_t seed) {
  const pid_t child = vfork();
  if (child == 0) _exit(keeps_across_yield(seed) ? 0 : 1);
  int status = -1;
  return waitpid(child, &status, 0) == child && status == 0;
}

TEST(processes_that_take_turns_do_not_mix) {
  constexpr int processes = 3;
  signal(SIGUSR1, on_signal);
  for (int i = 0; i < processes; ++i) {
    check::start_child([&] {
      for (uint64_t round = 0; round < 400; ++round) {
        const uint64_t seed = (round + 1) * 0x9e3779b97f4a7c15 + i;
        if (!keeps_across_yield(seed)) return 1;
        if (round % 16 == 3 && !child_of_vfork(~seed)) return 2;
        handler_kept = false;
        if (round % 8 == 5 && (raise(SIGUSR1) != 0 || !handler_kept)) return 3;
        if (round % 32 == 9) {
          const int last = check::in_child([&] { return keeps_across_yield(seed + 1) ? 0 : 1; });
          if (last != 0) return 4;
        }
      }
      return 0;
    });
  }
  for (int i = 0; i < processes; ++i) {
    int status = -1;
    CHECK(wait(&status) > 0);
    CHECK_EXITED(status, 0);
  }
}

TEST(floating_point_arithmetic_is_right) {
  double sum = 0;
  for (int i = 1; i <= 1000; ++i) {
    sum += sin(i) * sqrt(i) / log(i + 1.5);
    if (i % 100 == 0) sched_yield();
  }
  check::say("sum %.12f ", sum);
  long double third = 1.0L / 3;
  for (int i = 0; i < 50; ++i) {
    getppid();
    third = third * 3 / 3;
  }
  check::say("third %.18Lf ", third);
}

TEST(processor_features_are_announced) {
  // The C library chooses its memcpy by CPUID; whatever it chose must work over any size.
  static char from[100000], to[100000];
  for (size_t i = 0; i < sizeof from; ++i) from[i] = (char)(i * 31);
  for (size_t size : {1, 15, 16, 31, 64, 100, 257, 4096, 5000, 99999}) {
    memset(to, 0, sizeof to);
    memcpy(to, from, size);
    CHECK(memcmp(to, from, size) == 0);
    CHECK(size == sizeof to || to[size] == 0);
    CHECK_EQ(strnlen((char*)memset(to, 'x', size), size), size);
  }
}
