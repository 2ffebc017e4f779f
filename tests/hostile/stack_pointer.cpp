// Hostile: the stack pointer anywhere, above all at every offset of the alternate signal stack,
// where the host will put its signal frame, while calling the kernel, faulting, or being
// pre-empted. The kernel must neither follow it nor change it.
#include "hostile.h"

using namespace hostile;

/// getppid with this stack pointer; the stack pointer afterwards.
static uint64_t call_with_rsp(uint64_t rsp, long& result) {
  uint64_t after;
  asm volatile(
      "mov %%rsp, %%rbx; mov %[rsp], %%rsp; mov $110, %%eax; syscall; mov %%rsp, %[after];"
      "mov %%rbx, %%rsp"
      : "=a"(result), [after] "=r"(after)
      : [rsp] "r"(rsp)
      : "rbx", "rcx", "r11", "memory");
  return after;
}

static void fault_with_rsp(uint64_t rsp) {
  asm volatile("mov %%rsp, %%rbx; mov %[rsp], %%rsp; movl $1, 16; mov %%rbx, %%rsp"
               :
               : [rsp] "r"(rsp)
               : "rbx", "memory");
}

static void spin_with_rsp(uint64_t rsp) {
  asm volatile(
      "mov %%rsp, %%rbx; mov %[rsp], %%rsp; mov $80000000, %%ecx; 1: dec %%ecx; jnz 1b;"
      "mov %%rbx, %%rsp"
      :
      : [rsp] "r"(rsp)
      : "rbx", "rcx", "memory", "cc");
}

static void try_call(uint64_t rsp) {
  long result;
  uint64_t after = call_with_rsp(rsp, result);
  if (result != getppid() || after != rsp) load_context(&attempt_context, 299);
}

static void try_fault(uint64_t rsp) {
  fault_with_rsp(rsp);
}

/// All attempts in this process, which must not even notice; counts those that end otherwise.
template <class Body>
static long surprises(uint64_t from, uint64_t bytes, long step, int expected, Body body) {
  long count = 0;
  for (uint64_t at = 0; at < bytes; at += step) {
    int ending = attempt([&] { body(from + at); });
    bool good = ending == expected && sound(false);
    if (expected == SIGSEGV) good = good && last.rsp == from + at && last.address == 16;
    if (!good && count++ < 3) check::say(" [rsp %#lx ended %d]", from + at, ending);
  }
  return count;
}

static const uint64_t elsewhere[] = {
    0,
    8,
    0xfff,
    vmi::user_begin,
    vmi::user_end - 8,
    vmi::user_end,
    vmi::user_end + 8,
    vmi::gate_base,
    vmi::gate_base + 8,
    vmi::gate_base + 0x1008,
    vmi::gate_base + vmi::gate_size,
    vmi::alt_stack_base - 8,
    vmi::alt_stack_base,
    vmi::alt_stack_base + vmi::alt_stack_size,
    vmi::alt_stack_base + vmi::alt_stack_size + 0x1000,
    vmi::window_base - 8,
    vmi::window_base,
    vmi::window_base + 0x10000,
    vmi::window_base + 0x10800,
    vmi::window_end - 8,
    vmi::ram_base,
    vmi::ram_base + 0x100000,
    0x7fffffffeff8,
    0x7ffffffff000,
    0x800000000000,
    0x8000000000000000,
    0xffff800000000000,
    0xffffffffff600000,
    0xfffffffffffffff8,
};

TEST(calls_with_rsp_all_over_the_alternate_stack) {
  long step = stride(16);
  CHECK_EQ(surprises(vmi::alt_stack_base, vmi::alt_stack_size, step, by_itself, try_call), 0);
  CHECK_EQ(surprises(vmi::alt_stack_base + 3, vmi::alt_stack_size, step * 16, by_itself, try_call),
           0);
  // Where the frame will lie: every byte.
  uint64_t top = vmi::alt_stack_base + vmi::alt_stack_size - 512;
  CHECK_EQ(surprises(top, 520, stride(1), by_itself, try_call), 0);
}

TEST(faults_with_rsp_all_over_the_alternate_stack) {
  CHECK_EQ(surprises(vmi::alt_stack_base, vmi::alt_stack_size, stride(16), SIGSEGV, try_fault), 0);
  uint64_t top = vmi::alt_stack_base + vmi::alt_stack_size - 512;
  CHECK_EQ(surprises(top, 520, stride(3), SIGSEGV, try_fault), 0);
}

TEST(calls_and_faults_with_rsp_anywhere_else) {
  for (uint64_t rsp : elsewhere) {
    CHECK_EQ(surprises(rsp, 1, 1, by_itself, try_call), 0);
    CHECK_EQ(surprises(rsp, 1, 1, SIGSEGV, try_fault), 0);
  }
}

TEST(preemption_with_rsp_anywhere) {
  for (uint64_t at : {0ul, 512ul, 4096ul, 32768ul, 60000ul, 65536ul - 8}) {
    CHECK_EQ(surprises(vmi::alt_stack_base + at, 1, 1, by_itself, spin_with_rsp), 0);
  }
  CHECK_EQ(surprises(vmi::window_base + 0x10800, 1, 1, by_itself, spin_with_rsp), 0);
  CHECK_EQ(surprises(0x8000000000000000, 1, 1, by_itself, spin_with_rsp), 0);
}

TEST(signals_that_find_no_stack_kill) {
  // The guest kernel must write its own signal frame through this pointer: it cannot.
  for (uint64_t rsp :
       {vmi::alt_stack_base + 0x8000, vmi::window_base + 0x20000, vmi::gate_base + 0x1ff0,
        vmi::ram_base + 0x5000, 0xffff800000001000, 0x8000000000000000}) {
    int status = check::in_child([&] {
      stack_t none = {nullptr, SS_DISABLE, 0};
      sigaltstack(&none, nullptr);
      fault_with_rsp(rsp);
      return 0;
    });
    CHECK_KILLED(status, SIGSEGV);
  }
}

TEST(pushes_and_pops_beyond_reach) {
  auto push = [](uint64_t rsp) {
    asm volatile("mov %%rsp, %%rbx; mov %0, %%rsp; push %%rax; mov %%rbx, %%rsp" ::"r"(rsp)
                 : "rbx", "memory");
  };
  CHECK_EQ(attempt([&] { push(vmi::window_base + 8); }), SIGSEGV);
  CHECK_EQ(last.address, vmi::window_base);
  CHECK_EQ(attempt([&] { push(vmi::gate_base + 16); }), SIGSEGV);
  CHECK_EQ(attempt([&] { push(vmi::user_end + 8); }), SIGSEGV);
  CHECK_EQ(attempt([&] { push(0x8000000000000000); }), SIGBUS);  // a stack-segment fault
}
