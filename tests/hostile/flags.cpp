// Hostile: TF, AC, DF and NT set when entering the kernel by a call, a fault, or a jump into the
// gate. They belong to the program and come back to it; the kernel must not run under them.
#include "hostile.h"

using namespace hostile;

static constexpr uint64_t trap_flag = 0x100, direction = 0x400, nested_task = 0x4000,
                          alignment = 0x40000, identification = 0x200000, overflow = 0x800;

/// getppid under these flags: what they are afterwards.
static uint64_t call_under(uint64_t flags, long& result) {
  uint64_t after;
  asm volatile(
      "pushfq; pop %%rbx; or %[flags], %%rbx; push %%rbx; popfq; mov $110, %%eax; syscall;"
      "pushfq; pop %[after]; pushq $2; popfq"
      : "=a"(result), [after] "=r"(after)
      : [flags] "r"(flags)
      : "rbx", "rcx", "r11", "memory", "cc");
  return after;
}

static void fault_under(uint64_t flags) {
  asm volatile("pushfq; orq %0, (%%rsp); popfq; movl $1, 24" ::"r"(flags) : "memory", "cc");
}

TEST(calls_keep_the_flags) {
  // Not ID: a monitor that leaves by the host's rt_sigreturn cannot give it back.
  for (uint64_t flags : {direction, alignment, overflow | 1, direction | alignment}) {
    volatile uint64_t after = 0;
    volatile long result = 0;
    CHECK_EQ(attempt([&] {
               long value;
               after = call_under(flags, value);
               result = value;
             }),
             by_itself);
    CHECK_EQ(result, getppid());
    CHECK_EQ(after & flags, flags);
  }
}

TEST(faults_under_any_flags) {
  for (uint64_t flags :
       {direction, alignment, direction | alignment, nested_task, overflow, identification}) {
    CHECK_EQ(attempt([&] { fault_under(flags); }), SIGSEGV);
    CHECK_EQ(last.address, 24);
  }
  CHECK(sound(true));
}

TEST(single_steps_over_calls_and_faults) {
  step_over_traps = true;
  long result = 0;
  attempt([&] { call_under(trap_flag, result); });
  CHECK(traps >= 2);
  traps = 0;
  CHECK_EQ(attempt([&] { fault_under(trap_flag); }), SIGSEGV);
  step_over_traps = false;
  CHECK_EQ(attempt([&] { call_under(trap_flag, result); }), SIGTRAP);
  CHECK(sound(true));
  CHECK_KILLED(check::in_child([] {
                 signal(SIGTRAP, SIG_DFL);
                 long value;
                 call_under(trap_flag, value);
                 return 0;
               }),
               SIGTRAP);
}

TEST(misaligned_access_under_alignment_check) {
  static char bytes[16];
  CHECK_EQ(attempt([] {
             asm volatile("pushfq; orq $0x40000, (%%rsp); popfq; movl $5, (%0)" ::"r"(bytes + 1)
                          : "memory", "cc");
           }),
           SIGBUS);
}

TEST(a_loop_under_every_flag_is_preempted) {
  for (uint64_t flags : {direction, alignment, direction | alignment | overflow}) {
    volatile uint64_t after = 0;
    attempt([&] {
      uint64_t value;
      asm volatile(
          "pushfq; orq %[flags], (%%rsp); popfq; mov $50000000, %%ecx; 1: lea -1(%%rcx), %%rcx;"
          "jrcxz 2f; jmp 1b; 2: pushfq; pop %[after]; pushq $2; popfq"
          : [after] "=r"(value)
          : [flags] "r"(flags)
          : "rcx", "memory", "cc");
      after = value;
    });
    CHECK_EQ(after & flags, flags);
  }
}

TEST(jumps_into_the_gate_under_every_flag) {
  static const uint64_t flags[] = {2 | trap_flag,   2 | alignment,
                                   2 | direction,   2 | trap_flag | alignment | direction,
                                   2 | nested_task, 2 | nested_task | trap_flag | direction};
  constexpr long offsets = 0x240;
  long step = stride(2) | 1;
  sweep("flags x gate", (long)(sizeof flags / sizeof *flags) * offsets, step, [](long i) {
    Registers registers = {};
    registers.rsp = pad_stack();
    registers.rflags = flags[i / offsets];
    hostile_jump(&registers, vmi::gate_base + i % offsets);
  });
  sweep("flags x gate, stepping on", 64, step, [](long i) {
    step_over_traps = true;
    Registers registers = {};
    registers.rsp = pad_stack();
    registers.rflags = 2 | trap_flag;
    hostile_jump(&registers, vmi::gate_base + (i & 31) + (i & 32 ? 0x100 : 0));
  });
  step_over_traps = false;
}

/// A call that copies, made by a jump into the direct entry with a block of one's own.
static void forge_direct_block(uint64_t number, uint64_t first, uint64_t second, uint64_t third,
                               uint64_t said_flags) {
  // As many layouts as the block has had: rdi, rsi, rdx, rax, rcx, then what came to be between.
  volatile uint64_t* block = (volatile uint64_t*)(vmi::alt_stack_base + 0xc00);
  const uint64_t words[] = {first,       second,     third, number, (uint64_t)landing_pad,
                            pad_stack(), said_flags, 0,     0,      0};
  for (size_t i = 0; i < sizeof words / sizeof *words; ++i) block[i] = words[i];
}

TEST(direct_entries_with_forged_blocks_under_every_flag) {
  static const uint64_t flags[] = {direction, alignment, nested_task, direction | alignment,
                                   direction | nested_task | alignment | identification};
  // Each copies to or from user memory, from the middle of what tells if that went the wrong way.
  static const uint64_t calls[] = {SYS_stat, SYS_uname, SYS_rt_sigaction, SYS_readlink, SYS_getcwd};
  static char text[8192];
  constexpr long offsets = 0x80, flag_sets = sizeof flags / sizeof *flags;
  constexpr long all = offsets * flag_sets * (long)(sizeof calls / sizeof *calls);
  sweep("flags x forged direct block", all, stride(1), [](long i) {
    const uint64_t set = flags[i / offsets % flag_sets];
    memset(text, 'A', sizeof text);
    uint64_t middle = (uint64_t)text + 4096;
    Registers registers = {};
    registers.rsp = pad_stack();
    registers.rflags = 2 | set;
    mark_last_trap();
    forge_direct_block(calls[i / offsets / flag_sets], middle, middle, 64, 0x202);
    hostile_jump_unmarked(&registers, vmi::gate_base + 0x200 + (uint64_t)(i % offsets));
  });
}

TEST(a_whole_program_single_stepped) {
  step_over_traps = true;
  int ending = attempt([] {
    asm volatile("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc");
    for (int i = 0; i < 5; ++i) {
      syscall(SYS_getppid);
      syscall(1000);
      char byte;
      syscall(SYS_read, -1, &byte, 1);
    }
    asm volatile("pushfq; andq $~0x100, (%%rsp); popfq" ::: "memory", "cc");
  });
  step_over_traps = false;
  CHECK(ending == by_itself);
  CHECK(traps > 50);
  CHECK(sound(true));
}
