// A guest program for account_test.cpp, static: does something of everything that a counter counts
// or an account is charged for, and says "done". With the word "patched" it also waits until its
// system calls are jumps. Run by itself with the word "leaf" it does nothing.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static char* anonymous(size_t bytes) {
  return (char*)mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

template <class F>
static void in_a_child(F&& work) {
  const pid_t child = fork();
  if (child == 0) {
    work();
    _exit(0);
  }
  waitpid(child, nullptr, 0);
}

/// A call site that is used until it has gone through every step of its patching, if it will.
static void make_system_calls(bool patched) {
  constexpr int patience_seconds = 20;
  char code[8];
  memcpy(code, (const void*)getppid, sizeof code);
  timespec start, now;
  clock_gettime(CLOCK_MONOTONIC, &start);
  do {
    for (int i = 0; i < 200; ++i) getppid();
    clock_gettime(CLOCK_MONOTONIC, &now);
  } while (patched && memcmp(code, (const void*)getppid, sizeof code) == 0 &&
           now.tv_sec - start.tv_sec < patience_seconds);
  for (int i = 0; i < 200; ++i) getppid();
  syscall(511);
  unsigned result = 20;  // getpid, by the 32-bit door
  asm volatile("int $0x80" : "+a"(result) : : "memory");
}

static void fault(const char* self) {
  char* memory = anonymous(1 << 20);
  memset(memory, 1, 1 << 19);
  in_a_child([&] { memory[0] = 2; });  // copy on write
  const int file = open(self, O_RDONLY);
  auto* text = (volatile char*)mmap(nullptr, 1 << 16, PROT_READ, MAP_PRIVATE, file, 0);
  (void)text[0];
  // The guest kernel itself writes to a page that is not there yet.
  if (read(file, memory + (3 << 18), 4096) != 4096) _exit(3);
  close(file);
}

static void switch_processes() {
  int there[2], back[2];
  if (pipe(there) != 0 || pipe(back) != 0) _exit(3);
  char byte = 0;
  const pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 20; ++i)
      if (read(there[0], &byte, 1) != 1 || write(back[1], &byte, 1) != 1) _exit(3);
    _exit(0);
  }
  for (int i = 0; i < 20; ++i)
    if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1) _exit(3);
  waitpid(child, nullptr, 0);
}

static void be_interrupted() {
  signal(SIGALRM, [](int) { interrupted = 1; });
  const itimerval soon = {{0, 0}, {0, 20'000}};
  setitimer(ITIMER_REAL, &soon, nullptr);
  while (!interrupted) {
  }
  const timespec nap = {0, 2'000'000};
  nanosleep(&nap, nullptr);
}

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "leaf") == 0) return 0;
  make_system_calls(argc > 1 && strcmp(argv[1], "patched") == 0);
  fault(argv[0]);
  in_a_child([&] { execl(argv[0], argv[0], "leaf", nullptr); });
  in_a_child([] { asm volatile("ud2"); });
  switch_processes();
  be_interrupted();
  puts("done");
}
