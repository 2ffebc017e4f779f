// Hostile: forged signal frames. First the guest's own, given to rt_sigreturn; then the host's,
// laid on the alternate stack by a program that jumps into the gate as if the host had just
// delivered a signal. Whatever a frame says, the program must end up with nothing it could not have
// had anyway.
#include "hostile.h"

using namespace hostile;

/// A genuine guest frame, as the kernel laid it out: ucontext, siginfo, vector state. `context` is
/// where the kernel will look for it: rt_sigreturn finds the ucontext at rsp.
struct Frame {
  alignas(64) unsigned char bytes[16384];
  ucontext_t* context;
  uint64_t size;
};
static Frame genuine, forged;

static void keep(int, siginfo_t*, void* raw) {
  auto* context = (ucontext_t*)raw;
  uint64_t begin = (uint64_t)raw, end = (uint64_t)context->uc_mcontext.fpregs + 4096;
  uint64_t stack_end = (uint64_t)handler_stack + sizeof handler_stack;
  if (end > stack_end || end < begin) end = stack_end;
  uint64_t misalignment = begin % 64;
  genuine.context = (ucontext_t*)(genuine.bytes + misalignment);
  genuine.size = end - begin;
  memcpy(genuine.context, raw, end - begin);
  genuine.context->uc_mcontext.fpregs =
      (fpregset_t)((uint64_t)genuine.context + ((uint64_t)context->uc_mcontext.fpregs - begin));
}

static void take_genuine_frame() {
  struct sigaction action = {};
  action.sa_sigaction = keep;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaction(SIGUSR1, &action, nullptr);
  raise(SIGUSR1);
  REQUIRE(genuine.size > 400);
}

/// A fresh copy that leads to landing_pad.
static ucontext_t& fresh() {
  memcpy(forged.bytes, genuine.bytes, sizeof forged.bytes);
  forged.context =
      (ucontext_t*)(forged.bytes + ((uint64_t)genuine.context - (uint64_t)genuine.bytes));
  uint64_t offset = (uint64_t)genuine.context->uc_mcontext.fpregs - (uint64_t)genuine.context;
  forged.context->uc_mcontext.fpregs = (fpregset_t)((uint64_t)forged.context + offset);
  forged.context->uc_mcontext.gregs[REG_RIP] = (greg_t)landing_pad;
  forged.context->uc_mcontext.gregs[REG_RSP] = (greg_t)pad_stack();
  sigemptyset(&forged.context->uc_sigmask);
  return *forged.context;
}

static void sigreturn_to(const void* context) {
  asm volatile("mov %0, %%rsp; mov $15, %%eax; syscall; ud2" ::"r"(context) : "memory");
}

/// After a return through a forged frame anything may be blocked, and the stack moved.
static void recover() {
  arm();
}

static const uint64_t evil[] = {
    0,
    1,
    ~0ul,
    0x10,
    vmi::window_base,
    vmi::window_base + 0x10000,
    vmi::attic_base,
    vmi::alt_stack_base + 0x8000,
    vmi::gate_base,
    vmi::user_end - 8,
    0x8000000000000000,
    0xffff888000000000,
    0x00010001'00000000,
};
static constexpr long evils = sizeof evil / sizeof *evil;

TEST(a_genuine_frame_works) {
  take_genuine_frame();
  CHECK_EQ(attempt([] { sigreturn_to(&fresh()); }), by_landing);
}

TEST(every_word_of_the_frame) {
  take_genuine_frame();
  constexpr long words = 304 / 8;  // the kernel's ucontext
  sweep("ucontext", words * evils, stride(1), [](long i) {
    recover();
    ((uint64_t*)&fresh())[i / evils] = evil[i % evils];
    sigreturn_to(forged.context);
  });
}

TEST(every_word_of_the_vector_state_header) {
  take_genuine_frame();
  static const int words[] = {0, 1, 2, 3, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71};
  constexpr long count = sizeof words / sizeof *words;
  sweep("vector state", count * evils, stride(1), [](long i) {
    recover();
    ((uint64_t*)fresh().uc_mcontext.fpregs)[words[i / evils]] = evil[i % evils];
    sigreturn_to(forged.context);
  });
}

TEST(selectors_and_flags) {
  take_genuine_frame();
  static const uint16_t selectors[] = {0,    1,    3,    7,    0x8,  0x10, 0x13, 0x18,  0x1b,
                                       0x20, 0x28, 0x2b, 0x33, 0x3b, 0x53, 0x7b, 0xffff};
  constexpr long count = sizeof selectors / sizeof *selectors;
  sweep("cs", count, 1, [](long i) {
    recover();
    ((uint16_t*)&fresh().uc_mcontext.gregs[REG_CSGSFS])[0] = selectors[i];
    sigreturn_to(forged.context);
  });
  sweep("ss", count, 1, [](long i) {
    recover();
    ((uint16_t*)&fresh().uc_mcontext.gregs[REG_CSGSFS])[3] = selectors[i];
    sigreturn_to(forged.context);
  });
  sweep("flags", 22, 1, [](long i) {
    recover();
    fresh().uc_mcontext.gregs[REG_EFL] = 1l << i;
    sigreturn_to(forged.context);
  });
  // A privilege level given by a frame would let `cli` through.
  static uint64_t code[2] = {0x90909090'90909090, 0};
  mprotect((void*)((uint64_t)code & ~(page - 1)), page, PROT_READ | PROT_WRITE | PROT_EXEC);
  code[0] = 0x90909090'909090fa;  // cli
  CHECK_EQ(attempt([] {
             auto& registers = fresh().uc_mcontext.gregs;
             registers[REG_EFL] = 0x3202;
             registers[REG_RIP] = (greg_t)code;
             sigreturn_to(forged.context);
           }),
           SIGSEGV);
}

TEST(frames_that_are_not_in_user_memory) {
  for (uint64_t at : {0ul, 8ul, vmi::user_end - 8, vmi::user_end, vmi::gate_base,
                      vmi::gate_base + 0x1000, vmi::window_base, vmi::window_base + 0x10000,
                      vmi::window_base + 0x40000, vmi::attic_base + 0x10000, vmi::ram_base,
                      0x8000000000000000ul, 0xffff888000000000ul, ~7ul}) {
    CHECK_EQ(attempt([&] { sigreturn_to((void*)at); }), SIGSEGV);
  }
  CHECK(sound(true));
}

TEST(a_forged_frame_cannot_move_the_hosts_signal_stack) {
  take_genuine_frame();
  for (uint64_t base : {vmi::window_base, vmi::window_base + 0x10000, vmi::gate_base,
                        vmi::alt_stack_base, vmi::attic_base, vmi::ram_base}) {
    CHECK_EXITED(check::in_child([&] {
                   attempt([&] {
                     ucontext_t& context = fresh();
                     context.uc_stack.ss_sp = (void*)base;
                     context.uc_stack.ss_size = 65536;
                     context.uc_stack.ss_flags = 0;
                     sigreturn_to(&context);
                   });
                   for (int i = 0; i < 20; ++i) {
                     if (syscall(SYS_getppid) <= 0 || syscall(1000) != -1) return 1;
                   }
                   arm();
                   return attempt([] { *(volatile int*)16 = 1; }) == SIGSEGV ? 0 : 2;
                 }),
                 0);
  }
}

TEST(a_frame_may_block_all_signals_but_not_the_hosts) {
  take_genuine_frame();
  pid_t child = check::start_child([] {
    attempt([] {
      sigfillset(&fresh().uc_sigmask);
      sigreturn_to(forged.context);
    });
    for (;;) asm volatile("");  // no call, all signals blocked: ticks must still come
    return 0;
  });
  usleep(60000);
  CHECK_EQ(kill(child, SIGKILL), 0);
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_KILLED(status, SIGKILL);
}

// -- The host's frames. Natively the alternate stack is not there, and all of this just faults.

static unsigned char snapshot[vmi::alt_stack_size];
static volatile long snapshot_bytes;

/// What the last real trap left on the alternate stack; false when it cannot be read.
static bool take_snapshot() {
  snapshot_bytes = 0;
  memset(snapshot, 1, sizeof snapshot);  // no page fault between the call and the copy
  attempt([] {
    mark_last_trap();
    memcpy(snapshot, (void*)vmi::alt_stack_base, sizeof snapshot);
    snapshot_bytes = sizeof snapshot;
  });
  return snapshot_bytes != 0;
}

/// Where the snapshot's last ucontext is (its flags, no link, and the user's selectors).
static uint64_t find_context() {
  uint64_t context = 0;
  for (uint64_t i = 0; i + 40 < sizeof snapshot / 8; ++i) {
    auto* at = (uint64_t*)snapshot + i;
    if (at[1] == 0 && at[23] == 0x2b000000000033) context = vmi::alt_stack_base + i * 8;
  }
  return context;
}

/// Words worth forging: all in use (frames, the exit block and what else there is), and all of the
/// last frame, where a zero may mean something, too.
static long worthy_words(long* words, long most) {
  const long frame = (long)(find_context() - vmi::alt_stack_base) / 8;
  long count = 0;
  for (long i = 0; i < (long)sizeof snapshot / 8 && count < most; ++i) {
    if (((uint64_t*)snapshot)[i] != 0 || (i >= frame - 1 && i < frame + 140)) words[count++] = i;
  }
  return count;
}

static void jump_with_stack(uint64_t target, long word, uint64_t value) {
  Registers registers = {};
  registers.rflags = 2;
  registers.rdi = 31;  // SIGSYS
  // As the host would: rsp at the frame, rdx the ucontext, rsi the siginfo.
  registers.rdx = find_context();
  registers.rsi = registers.rdx + 304;
  registers.rsp = registers.rdx ? registers.rdx - 8 : pad_stack();
  mark_last_trap();
  memcpy((void*)vmi::alt_stack_base, snapshot, sizeof snapshot);
  ((uint64_t*)vmi::alt_stack_base)[word] = value;
  hostile_jump_unmarked(&registers, target);
}

TEST(forged_host_frames) {
  if (!take_snapshot()) return;  // nothing to forge here
  static long words[4000];
  long count = worthy_words(words, 4000);
  if (environment("HOSTILE_TALK", 0))
    dprintf(2, "%ld words to forge on the alternate stack\n", count);
  static const uint64_t values[] = {0, ~0ul, vmi::window_base + 0x10000, 0x8000000000000000,
                                    (uint64_t)landing_pad};
  sweep("host frames, entry", count * 5, stride(1),
        [](long i) { jump_with_stack(vmi::gate_base, words[i / 5], values[i % 5]); });
  sweep("host frames, exit", count * 5, stride(3),
        [](long i) { jump_with_stack(vmi::gate_base + 0x100, words[i / 5], values[i % 5]); });
}

/// Each component of the vector state in turn is said to be there, the host's own and those that a
/// process must ask for (AMX) or may not load (protection keys' rights) among them.
TEST(forged_components_of_the_hosts_vector_state) {
  constexpr long header = 512, last_component = 63;
  sweep("vector components", last_component + 1, 1, [](long component) {
    if (!take_snapshot() || find_context() == 0) return;
    auto* context = (const ucontext_t*)(snapshot + (find_context() - vmi::alt_stack_base));
    const uint64_t area = (uint64_t)context->uc_mcontext.fpregs;
    if (area < vmi::alt_stack_base || area >= vmi::alt_stack_base + sizeof snapshot) return;
    const long word = (long)(area - vmi::alt_stack_base + header) / 8;
    for (uint64_t others : {0ul, 7ul})
      attempt([&] { jump_with_stack(vmi::gate_base, word, others | 1ul << component); });
  });
  CHECK(sound(true));
}

TEST(an_alternate_stack_full_of_one_value) {
  if (!take_snapshot()) return;
  sweep("filled", evils * 6, 1, [](long i) {
    Registers registers = {};
    registers.rflags = 2;
    registers.rsp = vmi::alt_stack_base + vmi::alt_stack_size - 0x1000 * (i % 3);
    registers.rdx = vmi::alt_stack_base + 0x4000;
    mark_last_trap();
    auto* stack = (uint64_t*)vmi::alt_stack_base;
    for (uint64_t k = 0; k < vmi::alt_stack_size / 8; ++k) stack[k] = evil[i / 6];
    hostile_jump_unmarked(&registers, vmi::gate_base + (i & 1) * 0x100);
  });
}
