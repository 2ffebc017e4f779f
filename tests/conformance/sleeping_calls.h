// The calls that restarts.cpp interrupts: how each is made, what ends it, and how Linux goes on
// with one that a signal has met (signal(7), restart_syscall(2)).
#pragma once

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "check.h"

namespace {

constexpr timespec minute = {60, 0};
constexpr timespec tenth = {0, 100'000'000};  // how long calls that only time ends may take

struct Shared {
  int word;               // of the futex
  volatile int released;  // the call may end now
  volatile int handled;   // handlers that have run
  long result;            // of the call
  bool was_released;      // when it returned
};
Shared* shared;
int ends[2];  // of a pipe
int locked;   // a file whose locks this has, of both kinds

// -- The calls. All return -1 with errno, or what the call does. `patience`: how long, where a call
// can be told.

using Call = long (*)(timespec patience);

long do_nanosleep(timespec patience) {
  return syscall(SYS_nanosleep, &patience, nullptr);
}
long do_clock_nanosleep(timespec patience) {
  return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &patience, nullptr);
}
timespec from_now(clockid_t clock, timespec patience) {
  timespec end;
  clock_gettime(clock, &end);
  end.tv_sec += patience.tv_sec;
  end.tv_nsec += patience.tv_nsec;
  if (end.tv_nsec >= 1'000'000'000) ++end.tv_sec, end.tv_nsec -= 1'000'000'000;
  return end;
}
long do_sleep_until(timespec patience) {
  timespec end = from_now(CLOCK_REALTIME, patience);
  return syscall(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &end, nullptr);
}
int milliseconds(timespec time) {
  return time.tv_sec * 1000 + time.tv_nsec / 1'000'000;
}
long do_poll_nothing(timespec patience) {
  return syscall(SYS_poll, nullptr, 0, milliseconds(patience));
}
long do_futex_for(timespec patience) {
  return syscall(SYS_futex, &shared->word, FUTEX_WAIT, 0, &patience, nullptr, 0);
}
long do_futex_until(timespec patience) {
  timespec end = from_now(CLOCK_MONOTONIC, patience);
  return syscall(SYS_futex, &shared->word, FUTEX_WAIT_BITSET, 0, &end, nullptr, 1);
}
long do_ppoll_nothing(timespec patience) {
  return syscall(SYS_ppoll, nullptr, 0, &patience, nullptr, 8);
}
long do_select_nothing(timespec patience) {
  timeval time = {patience.tv_sec, patience.tv_nsec / 1000};
  return syscall(SYS_select, 0, nullptr, nullptr, nullptr, &time);
}
long do_pselect_nothing(timespec patience) {
  return syscall(SYS_pselect6, 0, nullptr, nullptr, nullptr, &patience, nullptr);
}

long do_poll(timespec patience) {
  pollfd asked = {ends[0], POLLIN, 0};
  return syscall(SYS_poll, &asked, 1, milliseconds(patience));
}
long do_poll_for_ever(timespec) {
  pollfd asked = {ends[0], POLLIN, 0};
  return syscall(SYS_poll, &asked, 1, -1);
}
long do_ppoll(timespec) {
  pollfd asked = {ends[0], POLLIN, 0};
  return syscall(SYS_ppoll, &asked, 1, nullptr, nullptr, 8);
}
long do_select(timespec patience) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(ends[0], &set);
  timeval time = {patience.tv_sec, 0};
  return syscall(SYS_select, ends[0] + 1, &set, nullptr, nullptr, &time);
}
long do_pselect(timespec) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(ends[0], &set);
  return syscall(SYS_pselect6, ends[0] + 1, &set, nullptr, nullptr, nullptr, nullptr);
}
long do_read(timespec) {
  char byte;
  return read(ends[0], &byte, 1);
}
long do_write(timespec) {
  static char bytes[1 << 16];
  return write(ends[1], bytes, sizeof bytes);
}
long do_open_fifo(timespec) {
  int fd = open("/tmp/restarts-fifo", O_RDONLY);
  return fd < 0 ? -1 : 0;
}
constexpr char lock_path[] = "/tmp/restarts-lock";
long do_lock(int command) {
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  int fd = open(lock_path, O_RDWR);
  return fd < 0 ? -1 : fcntl(fd, command, &lock);
}
long do_lock_of_process(timespec) {
  return do_lock(F_SETLKW);
}
long do_lock_of_description(timespec) {
  return do_lock(F_OFD_SETLKW);
}
long do_flock(timespec) {
  int fd = open(lock_path, O_RDWR);
  return fd < 0 ? -1 : flock(fd, LOCK_EX);
}
long do_wait4(timespec) {
  pid_t child = check::start_child([] {
    do_read(minute);
    return 3;
  });
  int status = 0;
  long ended = syscall(SYS_wait4, child, &status, 0, nullptr);
  if (ended < 0) kill(child, SIGKILL);
  return ended < 0 ? -1 : WEXITSTATUS(status);
}
long do_waitid(timespec) {
  pid_t child = check::start_child([] {
    do_read(minute);
    return 3;
  });
  siginfo_t info;
  long ended = syscall(SYS_waitid, P_PID, child, &info, WEXITED, nullptr);
  if (ended < 0) kill(child, SIGKILL);
  return ended < 0 ? -1 : info.si_status;
}
long do_futex(timespec) {
  return syscall(SYS_futex, &shared->word, FUTEX_WAIT, 0, nullptr, nullptr, 0);
}
long do_pause(timespec) {
  return syscall(SYS_pause);
}
long do_sigsuspend(timespec) {
  uint64_t none = 0;
  return syscall(SYS_rt_sigsuspend, &none, 8);
}
long do_sigtimedwait(timespec patience) {
  uint64_t wanted = 1ul << (SIGUSR2 - 1);
  return syscall(SYS_rt_sigtimedwait, &wanted, nullptr, &patience, 8);
}

// -- What ends them, other than a signal.

void release_by_byte(pid_t) {
  REQUIRE(write(ends[1], "x", 1) == 1);
}
void release_by_room(pid_t) {
  static char bytes[1 << 16];
  REQUIRE(read(ends[0], bytes, sizeof bytes) == sizeof bytes);
}
void release_by_writer(pid_t) {
  REQUIRE(close(open("/tmp/restarts-fifo", O_WRONLY)) == 0);
}
void release_by_unlock(pid_t) {
  REQUIRE(flock(locked, LOCK_UN) == 0 && close(locked) == 0);
}
void release_by_signal(pid_t pid) {
  kill(pid, SIGUSR2);
}

enum Way {
  with_flag,      // made again after a handler with SA_RESTART, else EINTR
  unless_handled  // made again, with what is left of its time, unless a handler has run
};

struct Known {
  const char* name;
  Call call;
  Way way;
  void (*release)(pid_t);  // null: time does
  long result;             // when it has been released; or the negative errno
};

const Known calls[] = {
    {"nanosleep", do_nanosleep, unless_handled, nullptr, 0},
    {"clock_nanosleep", do_clock_nanosleep, unless_handled, nullptr, 0},
    {"clock_nanosleep until", do_sleep_until, unless_handled, nullptr, 0},
    {"poll of nothing", do_poll_nothing, unless_handled, nullptr, 0},
    {"ppoll of nothing", do_ppoll_nothing, unless_handled, nullptr, 0},
    {"select of nothing", do_select_nothing, unless_handled, nullptr, 0},
    {"pselect6 of nothing", do_pselect_nothing, unless_handled, nullptr, 0},
    {"futex for a while", do_futex_for, unless_handled, nullptr, -ETIMEDOUT},
    {"futex until", do_futex_until, unless_handled, nullptr, -ETIMEDOUT},
    {"poll", do_poll, unless_handled, release_by_byte, 1},
    {"poll for ever", do_poll_for_ever, unless_handled, release_by_byte, 1},
    {"ppoll", do_ppoll, unless_handled, release_by_byte, 1},
    {"select", do_select, unless_handled, release_by_byte, 1},
    {"pselect6", do_pselect, unless_handled, release_by_byte, 1},
    {"pause", do_pause, unless_handled, release_by_signal, -EINTR},
    {"sigsuspend", do_sigsuspend, unless_handled, release_by_signal, -EINTR},
    {"futex", do_futex, with_flag, release_by_signal, -EINTR},
    {"read", do_read, with_flag, release_by_byte, 1},
    {"write", do_write, with_flag, release_by_room, 1 << 16},
    {"open of a FIFO", do_open_fifo, with_flag, release_by_writer, 0},
    {"F_SETLKW", do_lock_of_process, with_flag, release_by_unlock, 0},
    {"F_OFD_SETLKW", do_lock_of_description, with_flag, release_by_unlock, 0},
    {"flock", do_flock, with_flag, release_by_unlock, 0},
    {"wait4", do_wait4, with_flag, release_by_byte, 3},
    {"waitid", do_waitid, with_flag, release_by_byte, 3},
};

}  // namespace
