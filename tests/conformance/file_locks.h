// Locks on files as their tests take and see them: file_locks.cpp, open_file_locks.cpp and
// file_lock_waits.cpp.
#pragma once

#include <fcntl.h>
#include <sys/file.h>

#include "check.h"

namespace {

constexpr char path[] = "/tmp/file-locks";

inline struct flock range(short type, off_t start = 0, off_t length = 0, short whence = SEEK_SET) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = whence;
  lock.l_start = start;
  lock.l_len = length;
  return lock;
}

inline int set(int fd, short type, off_t start = 0, off_t length = 0, int command = F_SETLK) {
  struct flock lock = range(type, start, length);
  return fcntl(fd, command, &lock);
}

inline int open_file(int flags = O_RDWR) {
  const int fd = open(path, flags | O_CREAT, 0600);
  REQUIRE(fd >= 0);
  return fd;
}

/// What another process sees of a file's first bytes: r and w for locked ones.
inline const char* seen() {
  static char map[17];
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = check::start_child([&] {
    const int fd = open(path, O_RDWR);
    for (int i = 0; i < 16; ++i) {
      struct flock lock = range(F_WRLCK, i, 1);
      CHECK_EQ(fcntl(fd, F_GETLK, &lock), 0);
      map[i] = lock.l_type == F_UNLCK ? '.' : lock.l_type == F_RDLCK ? 'r' : 'w';
    }
    return write(ends[1], map, 16) == 16 ? 0 : 1;
  });
  int status = -1;
  waitpid(child, &status, 0);
  CHECK_EXITED(status, 0);
  REQUIRE(read(ends[0], map, 16) == 16);
  close(ends[0]);
  close(ends[1]);
  return map;
}

inline bool see(const char* wanted) {
  const char* map = seen();
  if (strcmp(map, wanted) == 0) return true;
  check::say("  seen %s, wanted %s\n", map, wanted);
  ++check::failures;
  return false;
}

/// May another process, which opens the file itself, have flock's lock now? Or why not.
inline int flock_elsewhere(int operation) {
  const int status = check::in_child([&] {
    const int fd = open(path, O_RDWR);
    return flock(fd, operation | LOCK_NB) == 0 ? 0 : errno;
  });
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// A child that holds what `lock` takes, until the end of this.
class Holder {
 public:
  template <class Lock>
  explicit Holder(Lock lock) {
    REQUIRE(pipe(ends_) == 0);
    pid = check::start_child([&] {
      lock();
      if (write(ends_[1], check::failures ? "" : "x", 1) != 1) return 1;
      for (;;) pause();
      return 0;
    });
    char byte;
    REQUIRE(read(ends_[0], &byte, 1) == 1);
    CHECK_EQ(byte, 'x');
  }
  ~Holder() {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    close(ends_[0]);
    close(ends_[1]);
  }
  pid_t pid;

 private:
  int ends_[2];
};

}  // namespace
