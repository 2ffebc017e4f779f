// Hostile: the other doors to a kernel. `int 0x80`, `sysenter`, the vsyscall page, and 32-bit code
// reached by a far jump. None may be answered by the host: the guest kernel answers as it sees fit
// (result, ENOSYS or a signal), the same way every time, and nothing else happens.
#include <sys/time.h>

#include "hostile.h"

using namespace hostile;

/// A call by `int 0x80`: false when it ended in a signal, else its result.
static bool int80(uint32_t number, uint32_t b, uint32_t c, uint32_t d, int32_t& result) {
  volatile int32_t out = 0;
  int ending = attempt([&] {
    int32_t value;
    asm volatile("int $0x80"
                 : "=a"(value)
                 : "a"(number), "b"(b), "c"(c), "d"(d), "S"(0), "D"(0)
                 : "memory", "r8", "r9", "r10", "r11");
    out = value;
  });
  result = out;
  if (ending != by_itself) CHECK_EQ(ending, SIGSEGV);
  return ending == by_itself;
}

TEST(int80_gives_guest_semantics) {
  int32_t result;
  // getpid by its 32-bit number (as a 64-bit number it would be writev).
  if (int80(20, 0, 0, 0, result)) CHECK(result == getpid() || result == -ENOSYS);
  // getppid by its 32-bit number.
  if (int80(64, 0, 0, 0, result)) CHECK(result == getppid() || result == -ENOSYS);
  // An unknown one.
  if (int80(0xffff, 0, 0, 0, result)) CHECK_EQ(result, -ENOSYS);
  // exit's 64-bit number is nothing that ends a process in the other ABI.
  if (int80(231, 0, 0, 0, result)) CHECK(result < 0);
  CHECK(sound(true));
}

TEST(int80_cannot_move_the_window) {
  int32_t result;
  uint32_t low = (uint32_t)vmi::window_base;
  int80(125, low, (uint32_t)vmi::window_size, 7, result);  // mprotect
  int80(91, low, (uint32_t)vmi::window_size, 0, result);   // munmap
  int80(10, low, (uint32_t)vmi::window_size, 7, result);   // mprotect by its 64-bit number
  CHECK_EQ(attempt([] { (void)*(volatile char*)vmi::window_base; }), SIGSEGV);
  CHECK(sound(true));
}

TEST(sysenter_ends_in_a_signal) {
  int ending = attempt([] {
    asm volatile("mov %%rsp, %%rbp; mov $20, %%eax; sysenter" ::
                     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r11", "memory");
  });
  CHECK(ending == SIGILL || ending == SIGSEGV);
  CHECK(sound(true));
}

TEST(the_vsyscall_page) {
  auto call = [](uint64_t offset, auto... arguments) {
    return ((long (*)(decltype(arguments)...))(0xffffffffff600000 + offset))(arguments...);
  };
  static volatile long result, seconds, microseconds;
  timeval now;
  // gettimeofday, time, getcpu: the right result, ENOSYS, or a fault as if there were no such page.
  int ending = attempt([&] {
    timeval value = {};
    result = call(0, &value, (void*)nullptr);
    seconds = value.tv_sec;
    microseconds = value.tv_usec;
  });
  CHECK(ending == by_itself || ending == SIGSEGV);
  gettimeofday(&now, nullptr);
  CHECK(ending == SIGSEGV || result == -ENOSYS ||
        (labs(seconds - now.tv_sec) <= 2 && microseconds < 1000000));
  ending = attempt([&] { result = call(0x400, (time_t*)nullptr); });
  CHECK(ending == by_itself || ending == SIGSEGV);
  CHECK(ending == SIGSEGV || result == -ENOSYS || labs(result - now.tv_sec) <= 2);
  ending = attempt([&] { call(0x800, (unsigned*)nullptr, (unsigned*)nullptr, (void*)nullptr); });
  CHECK(ending == by_itself || ending == SIGSEGV);
  // A pointer into the window must not be written through.
  ending = attempt([&] { call(0, (timeval*)(vmi::window_base + 0x1000), (void*)nullptr); });
  CHECK(ending == by_itself || ending == SIGSEGV);
  // And there is nothing else on that page.
  CHECK_EQ(attempt([&] { call(0xc00); }), SIGSEGV);
  CHECK_EQ(attempt([&] { call(1); }), SIGSEGV);
  CHECK_EQ(attempt([&] { call(0x402); }), SIGSEGV);
  CHECK(sound(true));
}

// -- 32-bit code, below 4 GiB. `code` runs with all registers zero but esp and those given, and
// comes back through a far jump that the trampoline appends.

static constexpr uint32_t low_code = 0x20000000, low_stack = 0x20010000, low_data = 0x20020000;

static void map_low_memory() {
  void* area = mmap((void*)(uint64_t)low_code, 0x30000, PROT_READ | PROT_WRITE | PROT_EXEC,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  REQUIRE(area == (void*)(uint64_t)low_code);
}

/// Runs `code` in a 32-bit segment; the attempt's ending, and eax at the end of it.
static int run_32bit(const void* code, size_t bytes, uint32_t eax, uint32_t& result) {
  auto* at = (unsigned char*)(uint64_t)low_code;
  memcpy(at, code, bytes);
  // mov %eax, low_data; ljmp $0x33, $low_code + 0x800
  const unsigned char back[] = {0xa3, 0, 0, 2, 0x20, 0xea, 0, 8, 0, 0x20, 0x33, 0};
  memcpy(at + bytes, back, sizeof back);
  // There, in 64-bit mode again: movabs $landing_pad, %rax; jmp *%rax
  uint64_t pad = (uint64_t)landing_pad;
  memcpy(at + 0x800, "\x48\xb8", 2);
  memcpy(at + 0x802, &pad, 8);
  memcpy(at + 0x80a, "\xff\xe0", 2);
  *(volatile uint32_t*)(uint64_t)low_data = 0xdeadbeef;
  int ending = attempt([&] {
    asm volatile(
        "mov $0x2b, %%ebx; mov %%ebx, %%ds; mov %%ebx, %%es;"  // 64-bit code does without
        "mov %[stack], %%rsp; pushq $0x23; pushq %[code]; xor %%ebx, %%ebx; xor %%ecx, %%ecx;"
        "xor %%edx, %%edx; xor %%esi, %%esi; xor %%edi, %%edi; xor %%ebp, %%ebp; lretq"
        :
        : [stack] "r"((uint64_t)low_stack), [code] "r"((uint64_t)low_code), "a"(eax)
        : "rbx", "memory");
  });
  result = *(volatile uint32_t*)(uint64_t)low_data;
  return ending;
}

static int run_32bit(const char* code, size_t bytes, uint32_t eax = 0) {
  uint32_t result;
  return run_32bit(code, bytes, eax, result);
}

TEST(far_jump_into_32bit_code_and_back) {
  map_low_memory();
  uint32_t result = 0;
  CHECK_EQ(run_32bit("\x83\xc0\x05", 3, 37, result), by_landing);  // add $5, %eax
  CHECK_EQ(result, 42);
  CHECK(sound(true));
}

TEST(system_calls_from_32bit_code) {
  map_low_memory();
  uint32_t result = 0;
  int ending = run_32bit("\xcd\x80", 2, 20, result);  // int $0x80: getpid
  CHECK(ending == by_landing || ending == SIGSEGV);
  if (ending == by_landing) CHECK((pid_t)result == getpid() || (int)result == -ENOSYS);
  ending = run_32bit("\xcd\x80", 2, 0xffff, result);
  CHECK(ending == by_landing || ending == SIGSEGV);
  if (ending == by_landing) CHECK_EQ((int)result, -ENOSYS);
  // `syscall` (which takes ecx's place for its return address, and its own landing) and sysenter.
  for (uint32_t number : {20u, 39u, 125u, 10u}) {
    ending = run_32bit("\x0f\x05", 2, number, result);
    CHECK(ending == by_landing || ending == SIGSEGV || ending == SIGILL);
    ending = run_32bit("\x0f\x34", 2, number, result);
    CHECK(ending == by_landing || ending == SIGSEGV || ending == SIGILL);
  }
  CHECK_EQ(attempt([] { (void)*(volatile char*)vmi::window_base; }), SIGSEGV);
  CHECK(sound(true));
}

TEST(faults_in_32bit_code) {
  map_low_memory();
  CHECK_EQ(run_32bit("\xa1\x10\x00\x00\x00", 5), SIGSEGV);  // mov 0x10, %eax
  CHECK_EQ(last.address, 16);
  CHECK_EQ(last.rip, low_code);
  CHECK_EQ(run_32bit("\x0f\x0b", 2), SIGILL);
  CHECK_EQ(run_32bit("\xf4", 1), SIGSEGV);              // hlt
  CHECK_EQ(run_32bit("\xce\x90", 2), by_landing);       // into, no overflow
  CHECK_EQ(run_32bit("\xbc\0\0\0\0\x50", 6), SIGSEGV);  // no stack: mov $0, %esp; push %eax
  CHECK(sound(true));
}

TEST(a_demand_page_touched_by_32bit_code) {
  map_low_memory();
  // mov %eax, 0x20028000; mov 0x20028000, %eax: first touch of a page, then the value is there
  uint32_t result = 0;
  CHECK_EQ(run_32bit("\xa3\x00\x80\x02\x20\x31\xc0\xa1\x00\x80\x02\x20", 12, 77, result),
           by_landing);
  CHECK_EQ(result, 77);
}

TEST(preemption_of_32bit_code) {
  map_low_memory();
  uint32_t result = 0;
  // 1: dec %eax; jnz 1b
  CHECK_EQ(run_32bit("\x48\x75\xfd", 3, 100000000, result), by_landing);
  CHECK_EQ(result, 0);
  pid_t child = check::start_child([] {
    uint32_t unused;
    run_32bit("\xeb\xfe", 2, 0, unused);  // for ever
    return 0;
  });
  usleep(50000);
  CHECK_EQ(kill(child, SIGKILL), 0);
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_KILLED(status, SIGKILL);
}

TEST(a_handler_may_send_32bit_code_on) {
  map_low_memory();
  struct sigaction action = {};
  action.sa_sigaction = [](int, siginfo_t*, void* raw) {
    auto& registers = ((ucontext_t*)raw)->uc_mcontext.gregs;
    registers[REG_RIP] += 2;
    registers[REG_RAX] = 99;
  };
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaction(SIGILL, &action, nullptr);
  uint32_t result = 0;
  CHECK_EQ(run_32bit("\x0f\x0b", 2, 1, result), by_landing);  // ud2
  CHECK_EQ(result, 99);
  arm();
}

// Newer hosts exempt these two from every filter, and refuse them in their own way outside of a
// probe's trampoline; older ones know them not.
TEST(calls_that_pass_every_filter) {
  for (long number : {335, 336}) {  // uretprobe, uprobe
    static volatile long result;
    int ending = attempt([&] { result = syscall(number) < 0 ? errno : 0; });
    CHECK(ending == SIGILL || (ending == by_itself && (result == ENOSYS || result == ENXIO)));
  }
  CHECK(sound(true));
}

TEST(far_jumps_to_kernel_segments) {
  static const struct [[gnu::packed]] {
    uint32_t offset;
    uint16_t selector;
  } targets[] = {{0, 0x10}, {0, 0x08}, {0, 0x18}, {0, 0x00}, {0, 0x28}, {0, 0x43}, {0, 0xffff}};
  for (const auto& target : targets) {
    CHECK_EQ(attempt([&] { asm volatile("ljmp *%0" ::"m"(target)); }), SIGSEGV);
    CHECK_EQ(attempt([&] { asm volatile("lcall *%0" ::"m"(target)); }), SIGSEGV);
  }
}
