// Conformance, what signal frames tell of traps: number, error code and address are those of the
// thread's last fault that became a signal, in every frame from then on, whatever its signal is.
#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "check.h"

struct Trap {
  long number, error;
  unsigned long address;
};
static volatile Trap seen;
static volatile int skip;  // bytes of the instruction that faults

static void note(int number, siginfo_t*, void* raw) {
  auto& registers = ((ucontext_t*)raw)->uc_mcontext.gregs;
  seen.number = registers[REG_TRAPNO];
  seen.error = registers[REG_ERR];
  seen.address = (unsigned long)registers[REG_CR2];
  if (number != SIGUSR1) registers[REG_RIP] += skip;
}

static void handle_all() {
  struct sigaction action = {};
  action.sa_sigaction = note;
  action.sa_flags = SA_SIGINFO;
  for (int number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGUSR1})
    REQUIRE(sigaction(number, &action, nullptr) == 0);
}

static void check_seen(long number, long error, unsigned long address) {
  CHECK_EQ(seen.number, number);
  CHECK_EQ(seen.error, error);
  CHECK_EQ(seen.address, address);
}

static void write_to(unsigned long address) {
  skip = 2;
  asm volatile("movb %%al, (%0)" : : "a"(address) : "memory");
}
static void invalid_instruction() {
  skip = 2;
  asm volatile("ud2");
}
static void divide_by_zero() {
  skip = 2;
  asm volatile("xor %%edx, %%edx; mov $1, %%eax; xor %%ecx, %%ecx; divl %%ecx"
               :
               :
               : "eax", "ecx", "edx");
}
static void breakpoint() {
  skip = 0;
  asm volatile("int3");
}

/// By a signal that is no fault's.
static void check_told(long number, long error, unsigned long address) {
  seen.number = seen.error = -1;
  raise(SIGUSR1);
  check_seen(number, error, address);
}

TEST(nothing_has_happened_yet) {
  handle_all();
  check_told(0, 0, 0);
}

TEST(a_page_fault_stays_until_the_next_trap) {
  handle_all();
  write_to(0x60);
  check_seen(14, 6, 0x60);
  check_told(14, 6, 0x60);
  write_to(0x70);
  check_seen(14, 6, 0x70);
  check_told(14, 6, 0x70);
}

TEST(other_traps_leave_the_address) {
  handle_all();
  invalid_instruction();
  check_seen(6, 0, 0);
  check_told(6, 0, 0);
  write_to(0x60);
  invalid_instruction();
  check_seen(6, 0, 0x60);
  divide_by_zero();
  check_seen(0, 0, 0x60);
  breakpoint();
  check_seen(3, 0, 0x60);
  write_to(0x8000'0000'0000'0000);  // no address at all
  check_seen(13, 0, 0x60);
  check_told(13, 0, 0x60);
}

TEST(faults_that_the_kernel_serves_leave_no_trace) {
  handle_all();
  write_to(0x60);
  constexpr size_t bytes = 1 << 20;
  char* memory =
      (char*)mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  memset(memory, 1, bytes);
  check_told(14, 6, 0x60);
  CHECK_ERRNO(write(1, (void*)0x90, 1), EFAULT);
  check_told(14, 6, 0x60);
}

TEST(children_have_it_too) {
  handle_all();
  write_to(0x60);
  const int status = check::in_child([] {
    check_told(14, 6, 0x60);
    invalid_instruction();
    return 0;
  });
  CHECK_EXITED(status, 0);
  check_told(14, 6, 0x60);
}

static void* in_thread(void*) {
  check_told(14, 6, 0x60);
  write_to(0x80);
  check_told(14, 6, 0x80);
  return nullptr;
}

TEST(each_thread_has_its_own) {
  handle_all();
  write_to(0x60);
  pthread_t thread;
  REQUIRE(pthread_create(&thread, nullptr, in_thread, nullptr) == 0);
  REQUIRE(pthread_join(thread, nullptr) == 0);
  check_told(14, 6, 0x60);
}
