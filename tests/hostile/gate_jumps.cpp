// Hostile: jumps and calls to every byte of the gate, to the window and to the alternate stack,
// with registers chosen to do harm. Each must end as a jump to nowhere does: in a signal, back
// here, or in the death of the process that tried.
#include "hostile.h"

using namespace hostile;

static constexpr uint64_t open_protection = 7;

/// What a jumper might wish to have in the registers. One set for each line of attack.
static Registers registers_for(int kind) {
  static uint64_t scratch[512] __attribute__((aligned(64)));
  uint64_t area = (uint64_t)&scratch[256];
  Registers r = {};
  r.rsp = pad_stack();
  r.rflags = 2;
  switch (kind) {
    case 0:  // nothing
      break;
    case 1:  // mprotect(window, size, rwx), ready to be issued by any `syscall` on the way
      r.rax = 10, r.rdi = vmi::window_base, r.rsi = vmi::window_size, r.rdx = open_protection;
      break;
    case 2:  // mmap(window, …, memfd)
      r.rax = 9, r.rdi = vmi::window_base, r.rsi = vmi::window_size, r.rdx = open_protection;
      r.r10 = 0x11, r.r8 = 3;
      break;
    case 3:  // munmap of everything
      r.rax = 11, r.rsi = 1ul << 47;
      break;
    case 4:  // rt_sigreturn of a frame at rsp
      r.rax = 15;
      break;
    case 5:  // a signal handler's arguments: number, siginfo, ucontext, in user memory
      r.rdi = 11, r.rsi = area, r.rdx = area, r.rbx = area, r.rbp = area;
      break;
    case 6:  // the same on the alternate stack
      r.rdi = 31, r.rsi = vmi::alt_stack_base + 0x4000, r.rdx = vmi::alt_stack_base + 0x4080;
      r.rsp = vmi::alt_stack_base + vmi::alt_stack_size - 0x2000, r.rbx = r.rdx, r.rbp = r.rsp;
      break;
    case 7:  // pointers into the window everywhere, the stack pointer as well
      r.rax = r.rbx = r.rcx = r.rdx = r.rsi = r.rdi = r.rbp = vmi::window_base + 0x11000;
      r.r8 = r.r9 = r.r10 = r.r11 = r.r12 = r.r13 = r.r14 = r.r15 = vmi::window_base + 0x40800;
      r.rsp = vmi::window_base + 0x12000;
      break;
    case 8:  // no stack, and kernel addresses of the host
      r.rax = r.rbx = r.rcx = r.rdx = r.rsi = r.rdi = r.rbp = 0xffff888000000000;
      r.rsp = 0x8000000000000000;
      break;
    default:  // the stack pointer where the host's signal frame will be
      r.rsp = vmi::alt_stack_base + vmi::alt_stack_size - 8 * (kind - 8);
      r.rax = 60;
  }
  return r;
}
static constexpr int kinds = 11;
/// The code of the gate, with its padding.
static constexpr long code_bytes = 0x400;

TEST(jumps_to_every_byte_of_the_gate) {
  for (int kind = 0; kind < kinds; ++kind) {
    char name[32];
    snprintf(name, sizeof name, "gate, registers %d", kind);
    sweep(name, code_bytes, stride(1), [&](long i) {
      Registers registers = registers_for(kind);
      hostile_jump(&registers, vmi::gate_base + i);
    });
  }
}

TEST(jumps_to_the_rest_of_the_gate) {
  sweep("rest of the gate", (long)vmi::gate_size - code_bytes, stride(7), [](long i) {
    Registers registers = registers_for((int)(i % kinds));
    hostile_jump(&registers, vmi::gate_base + code_bytes + i);
  });
}

TEST(calls_to_the_gate) {
  sweep("calls", code_bytes * 3, stride(5), [](long i) {
    static const int callers[] = {0, 6, 9};
    Registers registers = registers_for(callers[i / code_bytes]);
    hostile_call(&registers, vmi::gate_base + i % code_bytes);
  });
}

// -- The way in and out of rewritten system calls.

static constexpr uint64_t flags_carry = 1, flags_trap = 0x100, flags_direction = 0x400,
                          flags_nested = 0x4000, flags_alignment = 0x40000;

TEST(jumps_to_the_direct_ways_with_every_flag) {
  for (uint64_t flags :
       {flags_trap, flags_direction, flags_nested, flags_alignment,
        flags_carry | flags_trap | flags_direction | flags_nested | flags_alignment}) {
    sweep("direct, flags", 0x200, stride(2), [&](long i) {
      static const uint64_t stacks[] = {0, pad_stack(), pad_stack() + 1, vmi::window_base + 0x12000,
                                        vmi::alt_stack_base + 0xc38};
      Registers registers = registers_for((int)(i % kinds));
      registers.rsp = stacks[i % 5];
      registers.rcx = i % 3 == 0 ? vmi::kernel_base : (uint64_t)landing_pad;
      registers.rax = 39;
      registers.rflags = flags | 2;
      step_over_traps = i % 2;
      hostile_jump(&registers, vmi::gate_base + 0x200 + i);
    });
  }
}

TEST(jumps_to_every_byte_of_the_trampolines) {
  may_harm_itself = true;
  for (const auto& area : vmi::trampoline_areas) {
    auto jump = [](long i, uint64_t target) {
      Registers registers = registers_for((int)(i % kinds));
      registers.rcx = i % 3 == 0 ? vmi::kernel_base : (uint64_t)landing_pad;
      hostile_jump(&registers, target);
    };
    // Those that are used by now, if there are any, and a sample of the rest.
    static uint64_t used[64];
    static long most;
    most = 0;
    attempt([&] {
      for (uint64_t at = area.base; at < area.base + area.bytes && most < 64; at += 32)
        if (*(volatile uint8_t*)at != 0xcc) used[most++] = at;
    });
    sweep("used trampolines", most * 32, stride(1),
          [&](long i) { jump(i, used[i / 32] + i % 32); });
    sweep("trampolines", (long)area.bytes, stride(509), [&](long i) { jump(i, area.base + i); });
  }
}

/// A value that leads home, or to where nobody may go.
static uint64_t forged(long i, uint64_t slot) {
  switch ((i + slot) % 5) {
    case 0:
      return vmi::window_base + 0x10000 + slot * 8;
    case 1:
      return (uint64_t)landing_pad;
    case 2:
      return vmi::alt_stack_base + 0xc00 + slot * 8;
    case 3:
      return 0xffff888000000000 + slot;
    default:
      return i * 0x9e3779b97f4a7c15 + slot;
  }
}

/// Exit and direct block are filled with lies, then the ways that read them are gone, with another
/// process at the same all the while: they share the blocks, one way or another.
TEST(forged_blocks) {
  auto try_all = [](const char* name, long count) {
    sweep(name, count, stride(1), [](long i) {
      static const uint64_t ways[] = {0x100, 0x11e, 0x130, 0x200, 0x230,
                                      0x260, 0x300, 0x31e, 0x330};
      for (uint64_t block : {0x800ul, 0xc00ul})
        for (uint64_t slot = 0; slot < 24; ++slot)
          *(volatile uint64_t*)(vmi::alt_stack_base + block + slot * 8) = forged(i, slot);
      Registers registers = registers_for((int)(i % kinds));
      registers.rcx = (uint64_t)landing_pad;
      hostile_jump(&registers, vmi::gate_base + ways[i % 9] + (uint64_t)(i / 9 % 24));
    });
  };
  const pid_t other = check::start_child([&] {
    try_all("forged blocks, there", 400);
    return 0;
  });
  try_all("forged blocks, here", 400);
  int status = -1;
  waitpid(other, &status, 0);
  CHECK_EXITED(status, 0);
}

static int jump_ending(uint64_t target, int kind) {
  return attempt([&] {
    Registers registers = registers_for(kind);
    hostile_jump(&registers, target);
  });
}

TEST(jumps_to_every_page_of_the_window) {
  for (uint64_t at = vmi::window_base; at < vmi::window_end; at += stride(page)) {
    int ending = jump_ending(at, 1);
    if (ending != SIGSEGV || last.rip != at) {
      CHECK_EQ(ending, SIGSEGV);
      CHECK_EQ(last.rip, at);
      break;
    }
  }
  for (uint64_t at = 0; at < 0x2000; at += stride(37)) {
    CHECK_EQ(jump_ending(vmi::resident_base + at, (int)(at % kinds)), SIGSEGV);
    CHECK_EQ(jump_ending(vmi::kernel_base + at, (int)(at % kinds)), SIGSEGV);
  }
  CHECK(sound(true));
}

TEST(jumps_around_the_fences) {
  for (uint64_t at :
       {vmi::user_end, vmi::user_end + page, vmi::gate_base - page, vmi::gate_base - 1,
        vmi::gate_base - 2, vmi::gate_base + vmi::gate_size, vmi::alt_stack_base - page,
        vmi::alt_stack_base - 1, vmi::alt_stack_base + vmi::alt_stack_size, vmi::window_base - page,
        vmi::window_base - 1, vmi::ram_base, vmi::ram_base + 0x3000}) {
    CHECK_EQ(jump_ending(at, 0), SIGSEGV);
  }
}

TEST(the_alternate_stack_is_not_executable) {
  // Filled with `ret`, as far as this process can write there at all.
  attempt([] { memset((void*)vmi::alt_stack_base, 0xc3, vmi::alt_stack_size); });
  for (uint64_t at = 0; at < vmi::alt_stack_size; at += stride(512)) {
    CHECK_EQ(jump_ending(vmi::alt_stack_base + at, 0), SIGSEGV);
  }
  CHECK(sound(true));
}

TEST(jumps_to_addresses_that_are_none) {
  for (uint64_t at : {0x800000000000ul, 0x8000000000000000ul, 0xffff800000000000ul,
                      0xffffffff81000000ul, 0x7ffffffff000ul, 0x7ffffffffffful, 0ul, ~0ul}) {
    CHECK_EQ(jump_ending(at, 0), SIGSEGV);
  }
}
