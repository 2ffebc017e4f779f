// Run as a guest by room_test.cpp: how much there is room for, what the kernel says beyond that,
// and whether all goes on afterwards. Prints "NAME COUNT" lines, and "over: ERRNO" for the limit.
//   room_program processes N ROUNDS   N children at once, asleep in different calls and woken in
//                                     any order, with registers of their own
//   room_program threads N ROUNDS     the same as threads of one process
//   room_program files N | mappings N | inodes N | locks N | attributes N | hog
//   room_program timers N             as many as N children get, ringing all the time, and whether
//                                     others still have their naps
//   room_program sleepers CALL N      N children in a poll, sendfile or open, or after a setgroups,
//                                     that keep as much kernel memory as they can, and whether
//                                     others go on
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <initializer_list>

#include "room_children.h"

namespace {

// -- Files, mappings, inodes.

int files(int count) {
  constexpr int each = 2500;
  struct rlimit limit = {4096, 4096};
  setrlimit(RLIMIT_NOFILE, &limit);
  int to_parent[2], to_children[2];
  if (pipe(to_parent) || pipe(to_children)) return 2;
  int left = count, children = 0;
  for (; left > 0; left -= each, ++children) {
    if (fork() != 0) continue;
    close(to_children[1]);
    int report[2] = {0, 0};
    while (report[0] < each && report[0] < left) {
      if (open("/bin/busybox", O_RDONLY) < 0) {
        report[1] = errno;
        break;
      }
      ++report[0];
    }
    if (write(to_parent[1], report, sizeof report) != sizeof report) _exit(3);
    char byte;
    _exit(read(to_children[0], &byte, 1) != 0);  // until the parent has seen all
  }
  long opened = 0;
  int error = 0, report[2], status;
  for (int i = 0; i < children; ++i) {
    if (read(to_parent[0], report, sizeof report) != sizeof report) return 3;
    opened += report[0];
    if (report[1]) error = report[1];
  }
  say("files", opened, error ? strerrorname_np(error) : nullptr);
  close(to_children[1]);
  while (wait(&status) > 0) {
  }
  say("again", open("/bin/busybox", O_RDONLY) >= 0);
  return 0;
}

long map_many(long count) {
  long made = 0;
  for (; made < count; ++made) {
    void* at = mmap(nullptr, 4096, made & 1 ? PROT_READ : PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) break;
  }
  return made;
}

int mappings(long count) {
  long made = map_many(count);
  say("mappings", made, made < count ? strerrorname_np(errno) : nullptr);
  return 0;
}

int inodes(int count) {
  char name[64];
  int made = 0;
  for (; made < count; ++made) {
    snprintf(name, sizeof name, "/tmp/d%d", made / 1000);
    if (made % 1000 == 0 && mkdir(name, 0755)) break;
    snprintf(name, sizeof name, "/tmp/d%d/file-%d", made / 1000, made);
    int fd = open(name, O_CREAT | O_WRONLY | O_EXCL, 0644);
    if (fd < 0) break;
    close(fd);
  }
  say("inodes", made, made < count ? strerrorname_np(errno) : nullptr);
  return 0;
}

/// Each second byte of a file, so that no two become one.
int locks(long count) {
  const int fd = open("/tmp/locked", O_CREAT | O_RDWR, 0600);
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_len = 1;
  long taken = 0;
  for (; taken < count; ++taken, lock.l_start += 2)
    if (fcntl(fd, F_SETLK, &lock)) break;
  say("locks", taken, taken < count ? strerrorname_np(errno) : nullptr);
  return 0;
}

/// 60 000 bytes for each of so many files.
int attributes(long count) {
  static char value[60'000];
  char name[64];
  long made = 0;
  for (; made < count; ++made) {
    snprintf(name, sizeof name, "/tmp/attributes-%ld", made);
    close(open(name, O_CREAT | O_WRONLY, 0644));
    if (setxattr(name, "user.a", value, sizeof value, 0)) break;
  }
  say("attributes", made, made < count ? strerrorname_np(errno) : nullptr);
  for (long i = 0; i <= made; ++i) {
    snprintf(name, sizeof name, "/tmp/attributes-%ld", i);
    unlink(name);
  }
  return 0;
}

/// Takes of everything what it gets, tells its parent, and keeps it until somebody ends it.
int hog() {
  map_many(1000000);
  inodes(1000000);
  struct rlimit limit = {1 << 20, 1 << 20};
  setrlimit(RLIMIT_NOFILE, &limit);
  int ends[2];
  while (pipe(ends) == 0) {
  }
  while (dup(0) >= 0) {
  }
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, nullptr);
  while (sigqueue(getpid(), SIGRTMIN, sigval{}) == 0) {
  }
  for (;;) {
    pid_t pid = fork();
    if (pid < 0) break;
    if (pid == 0)
      for (;;) pause();
  }
  kill(getppid(), SIGUSR1);
  for (;;) pause();
}

// -- Timers.

int timers(int count) {
  struct Report {
    long made;
    int error;
  } report;
  int to_parent[2], naps = 0;
  long made = 0;
  if (pipe(to_parent)) return 2;
  signal(SIGRTMIN, SIG_IGN);
  signal(SIGCHLD, SIG_IGN);
  for (int i = 0; i < count; ++i) {
    if (fork() != 0) continue;
    report = {0, 0};
    const struct itimerspec always = {{0, 1}, {0, 1}};
    struct sigevent event = {};
    event.sigev_notify = SIGEV_SIGNAL, event.sigev_signo = SIGRTMIN;
    for (timer_t timer; timer_create(CLOCK_MONOTONIC, &event, &timer) == 0; ++report.made)
      timer_settime(timer, 0, &always, nullptr);
    report.error = errno;
    if (write(to_parent[1], &report, sizeof report) != sizeof report) _exit(3);
    for (;;) pause();
  }
  for (int i = 0; i < count; ++i) {
    if (read(to_parent[0], &report, sizeof report) != sizeof report) return 3;
    made += report.made;
  }
  say("timers", made, strerrorname_np(report.error));
  for (; naps < 20; ++naps) usleep(10000);
  say("naps", naps);
  signal(SIGTERM, SIG_IGN);
  kill(0, SIGTERM);
  return 0;
}

// -- Sleepers.

/// Sleeps in `call`, with as much as it is granted.
[[noreturn]] void sleep_with_much(const char* call) {
  static struct pollfd asked[4096];
  static char path[4096];
  static gid_t groups[65536];
  int ends[2];
  if (pipe(ends)) _exit(3);
  for (auto& entry : asked) entry = {ends[0], POLLIN, 0};
  memset(path, '/', sizeof path);
  memcpy(path, "/tmp", 4);
  strcpy(path + sizeof path - 5, "fifo");
  for (int many = 4096; many > 0; many -= many > 64 ? 64 : 1) {
    if (!strcmp(call, "poll")) poll(asked, many, -1);
    if (!strcmp(call, "sendfile"))
      sendfile(ends[1], open("/bin/busybox", O_RDONLY), nullptr, 1 << 20);
    if (!strcmp(call, "open")) open(path, O_RDONLY);
    if (!strcmp(call, "setgroups") && setgroups(16 * many, groups) == 0) pause();
  }
  _exit(4);  // refused even the least
}

bool is_asleep(pid_t pid) {
  char name[40], text[200] = {};
  snprintf(name, sizeof name, "/proc/%d/stat", pid);
  const int fd = open(name, O_RDONLY);
  if (fd < 0 || read(fd, text, sizeof text - 1) < 0) return true;  // it cannot be told
  close(fd);
  return strstr(text, ") S ") || strstr(text, ") Z ");
}

int sleepers(const char* call, int count) {
  static pid_t pids[most_children];
  struct rlimit limit = {4096, 4096};
  setrlimit(RLIMIT_NOFILE, &limit);
  if (mkfifo("/tmp/fifo", 0600)) return 2;
  int status, works = 0;
  for (int i = 0; i < count; ++i) {
    pids[i] = fork();
    if (pids[i] < 0) return 3;
    if (pids[i] == 0) sleep_with_much(call);
  }
  for (int i = 0; i < count; ++i)
    while (!is_asleep(pids[i])) usleep(1000);
  for (int i = 0; i < 10; ++i) {
    const pid_t pid = fork();
    if (pid == 0) {
      execl("/bin/busybox", "true", nullptr);
      _exit(5);
    }
    works += waitpid(pid, &status, 0) == pid && status == 0;
  }
  say("works", works);
  int asleep = 0;
  for (int i = 0; i < count; ++i) asleep += waitpid(pids[i], &status, WNOHANG) == 0;
  say("asleep", asleep);
  for (int i = 0; i < count; ++i) kill(pids[i], SIGKILL);
  while (wait(&status) > 0) {
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  long count = argc > 2 ? atol(argv[2]) : 0;
  for (const char* name : {"processes", "threads"})
    if (!strcmp(argv[1], name))
      return many(name, name[0] == 't', (int)count, argc > 3 ? atoi(argv[3]) : 10);
  if (!strcmp(argv[1], "files")) return files((int)count);
  if (!strcmp(argv[1], "mappings")) return mappings(count);
  if (!strcmp(argv[1], "inodes")) return inodes((int)count);
  if (!strcmp(argv[1], "locks")) return locks(count);
  if (!strcmp(argv[1], "attributes")) return attributes(count);
  if (!strcmp(argv[1], "hog")) return hog();
  if (!strcmp(argv[1], "timers")) return timers((int)count);
  if (!strcmp(argv[1], "sleepers") && argc > 3) return sleepers(argv[2], atoi(argv[3]));
  return 2;
}
