// Children of either kind, processes and threads, that sleep in different calls and are woken in
// any order: whether there is room for so many, and whether each keeps what is its own. For
// room_program.
#pragma once

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace {

constexpr int most_children = 2000;

void say(const char* name, long count, const char* error = nullptr) {
  char line[100];
  int length = error ? snprintf(line, sizeof line, "%s %ld over: %s\n", name, count, error)
                     : snprintf(line, sizeof line, "%s %ld\n", name, count);
  if (write(1, line, length) != length) _exit(99);
}

/// What parent and child share.
struct Meeting {
  volatile uint32_t done;    // rounds the child has been through
  volatile uint32_t spoilt;  // it found a register changed
  volatile int tid;
  int pipe[2], answer[2];  // a byte for each wake-up
};
Meeting* meetings;

enum Sleep { in_read, in_poll, in_futex, in_suspend, in_nap, sleeps };

/// One wait of a kind, with vector registers loaded before it and looked at after. Static calls
/// only: nothing between may use them.
bool sleep_once(Meeting& my, int kind, uint64_t value) {
  uint64_t kept[2] = {value, ~value}, found[2], low = 0;
  struct pollfd ready = {my.pipe[0], POLLIN, 0};
  struct timespec nap = {0, 1000000};
  char byte;
  long number = SYS_read, a = my.pipe[0], b = (long)&byte, c = 1, d = 0;
  if (kind == in_poll) number = SYS_poll, a = (long)&ready, b = 1, c = -1;
  uint32_t word = 0;
  if (kind == in_futex)
    number = SYS_futex, a = (long)&word, b = FUTEX_WAIT_PRIVATE, c = 0, d = (long)&nap;
  if (kind == in_nap) number = SYS_nanosleep, a = (long)&nap, b = 0;
  sigset_t none;
  sigemptyset(&none);
  if (kind == in_suspend) number = SYS_rt_sigsuspend, a = (long)&none, b = 8;
  register long r10 asm("r10") = d;
  register uint64_t r12 asm("r12") = value;
  long result = number;
  asm volatile(
      "movdqu %[kept], %%xmm7\n movdqu %[kept], %%xmm15\n syscall\n"
      "movdqu %%xmm7, %[found]\n movq %%xmm15, %[low]\n"
      : "+a"(result), [found] "=m"(found), [low] "=m"(low), "+r"(r12)
      : [kept] "m"(kept), "D"(a), "S"(b), "d"(c), "r"(r10)
      : "rcx", "r11", "xmm7", "xmm15", "memory");
  if (kind == in_poll && read(my.pipe[0], &byte, 1) != 1) return false;
  return found[0] == value && found[1] == ~value && low == value && r12 == value;
}

void on_signal(int) {}

int be_child(int index, int rounds) {
  Meeting& my = meetings[index];
  my.tid = (int)syscall(SYS_gettid);
  for (int round = 0; round < rounds; ++round) {
    if (!sleep_once(my, (index + round) % sleeps, 0x1234567800000000 + index * 1000 + round))
      my.spoilt = 1;
    my.done = round + 1;
    char byte = 1;
    if (write(my.answer[1], &byte, 1) != 1) _exit(3);
  }
  return index % 50;
}

/// A child of either kind, from its start to its end.
struct Child {
  bool is_thread;
  pthread_t thread;
  pid_t pid;
  int index, rounds;

  bool start() {
    if (!is_thread) {
      pid = fork();
      if (pid == 0) _exit(be_child(index, rounds));
      return pid > 0;
    }
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 32768);
    auto run = [](void* it) -> void* {
      return (void*)(long)be_child(((Child*)it)->index, ((Child*)it)->rounds);
    };
    errno = pthread_create(&thread, &small, run, this);
    return errno == 0;
  }
  bool ends_well() {
    const int wanted = index % 50;
    void* result;
    int status;
    if (is_thread) return pthread_join(thread, &result) == 0 && (long)result == wanted;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == wanted;
  }
};

void wake(int index, int round) {
  Meeting& it = meetings[index];
  char byte = 1;
  switch ((index + round) % sleeps) {
    case in_read:
    case in_poll:
      if (write(it.pipe[1], &byte, 1) != 1) _exit(4);
      break;
    case in_suspend:
      while (!it.tid) sched_yield();
      syscall(SYS_tkill, it.tid, SIGUSR1);
      break;
    default:
      break;
  }
}

int many(const char* name, bool are_threads, int count, int rounds) {
  static Child children[most_children];
  static int order[most_children];
  // Ends of the pipes: few descriptors, since all are inherited. One answer pipe serves all.
  size_t bytes = sizeof(Meeting) * most_children;
  meetings =
      (Meeting*)mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  struct rlimit files = {3000, 4096};
  setrlimit(RLIMIT_NOFILE, &files);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  sigprocmask(SIG_BLOCK, &blocked, nullptr);
  signal(SIGUSR1, on_signal);
  int answer[2];
  if (pipe(answer)) return 2;
  int made = 0;
  for (; made < count; ++made) {
    meetings[made].answer[1] = answer[1];
    if (pipe(meetings[made].pipe)) break;
    children[made] = {are_threads, {}, 0, made, rounds};
    if (!children[made].start()) break;
    order[made] = made;
  }
  if (made < count)
    say(name, made, strerrorname_np(errno));
  else
    say(name, made);
  unsigned random = 12345;
  for (int round = 0; round < rounds; ++round) {
    for (int i = made - 1; i > 0; --i) {
      random = random * 1103515245 + 12345;
      int j = (random >> 8) % (i + 1), swap = order[i];
      order[i] = order[j], order[j] = swap;
    }
    for (int i = 0; i < made; ++i) wake(order[i], round);
    char byte;
    for (int i = 0; i < made; ++i)
      if (read(answer[0], &byte, 1) != 1) return 5;
  }
  int sound = 0;
  for (int i = 0; i < made; ++i) sound += children[i].ends_well() && !meetings[i].spoilt;
  say("sound", sound);
  return 0;
}

}  // namespace
