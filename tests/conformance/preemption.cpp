// Conformance, pre-emption: processes that never enter the kernel by themselves cannot keep it
// from the others. Nothing is timed; a failure is a hang, which the frame's alarm ends.
#include <sys/mman.h>
#include <time.h>

#include "check.h"

struct Shared {
  volatile long progress[8];
  volatile bool stop;
};

static Shared& shared() {
  static auto* area =
      (Shared*)mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(area != MAP_FAILED);
  return *area;
}

static pid_t start_loop(int index) {
  shared();
  return check::start_child([&] {
    while (!shared().stop) shared().progress[index] = shared().progress[index] + 1;
    return 0;
  });
}

static void stop_loops() {
  shared().stop = true;
  int status;
  while (wait(&status) > 0) CHECK_EXITED(status, 0);
}

TEST(two_busy_loops_both_make_progress) {
  start_loop(0);
  start_loop(1);
  for (int i = 0; i < 2; ++i) {
    long seen = shared().progress[i];
    while (shared().progress[i] < seen + 1000) {  // this loop is the third
    }
  }
  stop_loops();
}

TEST(a_sleeper_wakes_beside_a_busy_loop) {
  start_loop(0);
  for (int i = 0; i < 5; ++i) usleep(5000);
  stop_loops();
}

TEST(a_pipe_wakes_its_reader_beside_busy_loops) {
  start_loop(0);
  start_loop(1);
  int there[2], back[2];
  REQUIRE(pipe(there) == 0 && pipe(back) == 0);
  pid_t echo = check::start_child([&] {
    char byte;
    for (int i = 0; i < 5; ++i) {
      if (read(there[0], &byte, 1) != 1 || write(back[1], &byte, 1) != 1) return 1;
    }
    return 0;
  });
  for (int i = 0; i < 5; ++i) {
    char byte = (char)i;
    CHECK_EQ(write(there[1], &byte, 1), 1);
    CHECK_EQ(read(back[0], &byte, 1), 1);
    CHECK_EQ(byte, i);
  }
  int status;
  CHECK_EQ(waitpid(echo, &status, 0), echo);
  stop_loops();
}

TEST(a_busy_loop_can_be_killed) {
  pid_t child = check::start_child([] {
    for (;;) asm volatile("");
    return 0;
  });
  usleep(20000);
  CHECK_EQ(kill(child, SIGKILL), 0);
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_KILLED(status, SIGKILL);
}

TEST(a_signal_interrupts_a_busy_loop) {
  static volatile bool rung;
  signal(SIGUSR1, [](int) { rung = true; });
  pid_t parent = getpid();
  pid_t child = check::start_child([&] {
    usleep(20000);
    return kill(parent, SIGUSR1);
  });
  while (!rung) {
  }
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EXITED(status, 0);
}

TEST(registers_survive_pre_emption) {
  start_loop(0);
  for (int round = 0; round < 30; ++round) {
    uint64_t bad;
    asm volatile(R"(
        mov $101, %%rax
        mov $102, %%rbx
        mov $103, %%rdx
        mov $104, %%rsi
        mov $105, %%rdi
        mov $108, %%r8
        mov $109, %%r9
        mov $110, %%r10
        mov $111, %%r11
        mov $112, %%r12
        mov $113, %%r13
        mov $114, %%r14
        mov $115, %%r15
        mov $10000000, %%ecx
        std
        stc
      1: lea -1(%%rcx), %%rcx
        jrcxz 2f
        jmp 1b
      2: setnc %%cl
        cld
        movzx %%cl, %%ecx
        xor $101, %%rax
        xor $102, %%rbx
        xor $103, %%rdx
        xor $104, %%rsi
        xor $105, %%rdi
        xor $108, %%r8
        xor $109, %%r9
        xor $110, %%r10
        xor $111, %%r11
        xor $112, %%r12
        xor $113, %%r13
        xor $114, %%r14
        xor $115, %%r15
        or %%rax, %%rcx
        or %%rbx, %%rcx
        or %%rdx, %%rcx
        or %%rsi, %%rcx
        or %%rdi, %%rcx
        or %%r8, %%rcx
        or %%r9, %%rcx
        or %%r10, %%rcx
        or %%r11, %%rcx
        or %%r12, %%rcx
        or %%r13, %%rcx
        or %%r14, %%rcx
        or %%r15, %%rcx)"
                 : "=c"(bad)
                 :
                 : "rax", "rbx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
                   "r15", "cc", "memory");
    CHECK_EQ(bad, 0);
  }
  stop_loops();
}
