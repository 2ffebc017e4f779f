// Hostile: fs and gs bases that point nowhere, or into the monitor, by arch_prctl and by
// WRFSBASE. The kernel must neither use them nor lose them. Nothing in here may touch thread-local
// storage (errno!) while fs is spoilt, so calls are made by hand.
#include <asm/prctl.h>
#include <sys/auxv.h>

#include "hostile.h"

using namespace hostile;

static long raw(long number, uint64_t a = 0, uint64_t b = 0) {
  long result;
  asm volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b) : "rcx", "r11", "memory");
  return result;
}

static uint64_t read_base() {
  uint64_t base = 0;
  raw(SYS_arch_prctl, ARCH_GET_FS, (uint64_t)&base);
  return base;
}

static bool have_fsgsbase() {
  return getauxval(AT_HWCAP2) & 2;
}
static uint64_t rdfsbase() {
  uint64_t base;
  asm volatile("rdfsbase %0" : "=r"(base));
  return base;
}
static void wrfsbase(uint64_t base) {
  asm volatile("wrfsbase %0" ::"r"(base) : "memory");
}
static void wrgsbase(uint64_t base) {
  asm volatile("wrgsbase %0" ::"r"(base) : "memory");
}
static uint64_t rdgsbase() {
  uint64_t base;
  asm volatile("rdgsbase %0" : "=r"(base));
  return base;
}

/// Runs `body` with fs restored afterwards, however it ended.
template <class Body>
static int with_any_fs(Body body) {
  uint64_t base = read_base();
  int ending = attempt(body);
  raw(SYS_arch_prctl, ARCH_SET_FS, base);
  return ending;
}

static const uint64_t odd_bases[] = {0,
                                     1,
                                     8,
                                     vmi::gate_base,
                                     vmi::alt_stack_base + 0x1000,
                                     vmi::window_base,
                                     vmi::window_base + 0x10000,
                                     vmi::ram_base,
                                     vmi::user_end - 1,
                                     0x7fffffffe000};

TEST(bases_by_arch_prctl) {
  for (uint64_t base : odd_bases) {
    volatile long set = -1, parent = 0;
    volatile uint64_t seen = 1;
    with_any_fs([&] {
      set = raw(SYS_arch_prctl, ARCH_SET_FS, base);
      seen = read_base();
      parent = raw(SYS_getppid);
    });
    // User memory ends earlier in a guest, and a kernel may refuse bases behind its end.
    CHECK(set == 0 || (set == -EPERM && base >= vmi::user_end));
    if (set == 0) CHECK_EQ(seen, base);
    CHECK_EQ(parent, getppid());
  }
  for (uint64_t base : {0x800000000000ul, 0x8000000000000000ul, 0xffff888000000000ul, ~0ul}) {
    volatile long set = 0;
    with_any_fs([&] { set = raw(SYS_arch_prctl, ARCH_SET_FS, base); });
    CHECK_EQ(set, -EPERM);
    CHECK_EQ(raw(SYS_arch_prctl, ARCH_SET_GS, base), -EPERM);
  }
  CHECK_EQ(raw(SYS_arch_prctl, 0x9999, 0), -EINVAL);
  CHECK_EQ(raw(SYS_arch_prctl, ARCH_GET_FS, vmi::window_base), -EFAULT);
}

TEST(accesses_through_the_base_fault_like_any_other) {
  if (!have_fsgsbase()) return;
  for (uint64_t base : {vmi::window_base, vmi::window_base + 0x40000, vmi::ram_base, 16ul}) {
    int ending = with_any_fs([&] {
      wrfsbase(base);
      asm volatile("mov %%fs:0x8, %%rax" ::: "rax");
    });
    CHECK_EQ(ending, SIGSEGV);
  }
  int ending = attempt([] {
    wrgsbase(vmi::window_base);
    asm volatile("movq $0, %%gs:0x10" ::: "memory");
  });
  CHECK_EQ(ending, SIGSEGV);
  raw(SYS_arch_prctl, ARCH_SET_GS, 0);
}

TEST(bases_by_instruction) {
  if (!have_fsgsbase()) return;
  for (uint64_t base : odd_bases) {
    volatile uint64_t after = 1, after_gs = 1;
    volatile long parent = 0;
    int ending = with_any_fs([&] {
      wrfsbase(base);
      wrgsbase(base + 1);
      parent = raw(SYS_getppid);
      after = rdfsbase();
      after_gs = rdgsbase();
    });
    CHECK_EQ(ending, by_itself);
    CHECK_EQ(after, base);
    CHECK_EQ(after_gs, base + 1);
    CHECK_EQ(parent, getppid());
  }
  CHECK_EQ(with_any_fs([] { wrfsbase(0x8000000000000000); }), SIGSEGV);
  CHECK_EQ(with_any_fs([] { wrgsbase(0x0000800000000000); }), SIGSEGV);
  CHECK(sound(true));
}

TEST(canonical_kernel_addresses_by_instruction) {
  // The processor lets a program load these although no system call would. Neither kernel nor
  // monitor may stumble.
  if (!have_fsgsbase()) return;
  for (uint64_t base : {0xffff800000000000ul, 0xffff888000000000ul, 0xffffffffff600000ul, ~0ul}) {
    int status = check::in_child([&] {
      attempt([&] {
        wrfsbase(base);
        wrgsbase(base);
        for (int i = 0; i < 20; ++i) raw(SYS_getppid);
        asm volatile("mov $60000000, %%ecx; 1: dec %%ecx; jnz 1b" ::: "rcx", "cc");  // ticks
        raw(SYS_getppid);
      });
      raw(SYS_exit_group, 0);
      return 0;
    });
    CHECK(WIFSIGNALED(status) || status == 0);
    CHECK(sound(true));
  }
}

TEST(bases_are_each_process_its_own) {
  if (!have_fsgsbase()) return;
  wrgsbase(0x1111);
  pid_t child = check::start_child([] {
    bool inherited = rdgsbase() == 0x1111;
    for (int i = 0; i < 50; ++i) {
      wrgsbase(0x2222 + i);
      sched_yield();
      if (rdgsbase() != 0x2222u + i) return 1;
    }
    // Nor what the other has where a base is none that a system call would take.
    for (int i = 0; i < 50; ++i) {
      const uint64_t base = 0xffff812345678000 + i, fs = rdfsbase();
      wrfsbase(base);
      wrgsbase(base);
      raw(SYS_sched_yield);
      const uint64_t fs_then = rdfsbase(), gs_then = rdgsbase();
      wrfsbase(fs);
      if (fs_then != base || gs_then != base) return 3;
    }
    return inherited ? 0 : 2;
  });
  for (int i = 0; i < 100; ++i) {
    sched_yield();
    CHECK_EQ(rdgsbase(), 0x1111);
  }
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EXITED(status, 0);
}

TEST(null_and_flat_selectors) {
  CHECK_EXITED(check::in_child([] {
                 attempt([] {
                   asm volatile("mov %0, %%fs; mov %0, %%gs" ::"r"(0x2b) : "memory");
                   raw(SYS_getppid);
                   asm volatile("mov %0, %%fs; mov %0, %%gs" ::"r"(0) : "memory");
                   raw(SYS_getppid);
                 });
                 raw(SYS_exit_group, 0);
                 return 0;
               }),
               0);
}
