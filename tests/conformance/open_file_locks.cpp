// Conformance, locks of open file descriptions: fcntl's (OFD) and flock's, and what /proc lists of
// all kinds.
#include "file_locks.h"

#include <sys/socket.h>
#include <sys/stat.h>

namespace {

bool has_line(const char* file, const char* wanted) {
  static char text[65536];
  const int fd = open(file, O_RDONLY);
  size_t size = 0;
  for (ssize_t got; size < sizeof text - 1; size += (size_t)got)
    if ((got = read(fd, text + size, sizeof text - 1 - size)) <= 0) break;
  close(fd);
  text[size] = '\0';
  return strstr(text, wanted) != nullptr;
}

}  // namespace

TEST(descriptions_stand_against_each_other) {
  const int fd = open_file(), other = open_file();
  struct flock lock = range(F_WRLCK, 0, 2);
  lock.l_pid = 1;
  for (int command : {F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW})
    CHECK_ERRNO(fcntl(fd, command, &lock), EINVAL);
  CHECK_EQ(set(fd, F_WRLCK, 0, 4, F_OFD_SETLK), 0);
  CHECK_ERRNO(set(other, F_RDLCK, 3, 4, F_OFD_SETLK), EAGAIN);
  CHECK_ERRNO(set(fd, F_RDLCK, 3, 4), EAGAIN);  // and against the process's own POSIX ones
  CHECK_EQ(set(fd, F_RDLCK, 0, 2, F_OFD_SETLK), 0);
  CHECK_EQ(set(other, F_RDLCK, 0, 1, F_OFD_SETLK), 0);
  CHECK_EQ(set(fd, F_RDLCK, 1, 1), 0);
  CHECK(see("rrww............"));
  lock = range(F_WRLCK, 2, 1);
  CHECK_EQ(fcntl(other, F_OFD_GETLK, &lock), 0);
  CHECK_EQ(lock.l_type, F_WRLCK);
  CHECK_EQ(lock.l_start, 2);
  CHECK_EQ(lock.l_len, 2);
  CHECK_EQ(lock.l_pid, -1);
  lock = range(F_WRLCK, 2, 1);
  CHECK_EQ(fcntl(fd, F_GETLK, &lock), 0);
  CHECK_EQ(lock.l_type, F_WRLCK);
  CHECK_EQ(lock.l_pid, -1);
  lock = range(F_WRLCK, 2, 1);
  CHECK_EQ(fcntl(fd, F_OFD_GETLK, &lock), 0);
  CHECK_EQ(lock.l_type, F_UNLCK);
  unlink(path);
}

TEST(descriptions_keep_theirs_until_the_last_close) {
  int fd = open_file();
  CHECK_EQ(set(fd, F_WRLCK, 0, 2, F_OFD_SETLK), 0);
  close(open(path, O_RDONLY));
  close(dup(fd));
  CHECK(see("ww.............."));
  {
    Holder holder([&] {  // shares it
      CHECK_EQ(set(fd, F_WRLCK, 4, 1, F_OFD_SETLK), 0);
      CHECK_EQ(set(fd, F_UNLCK, 0, 1, F_OFD_SETLK), 0);
    });
    close(fd);
    CHECK(see(".w..w..........."));
  }
  CHECK(see("................"));
  unlink(path);
}

// -- flock.

TEST(flock_arguments) {
  const int fd = open_file();
  for (int operation : {0, LOCK_NB, 3, 16, LOCK_SH | LOCK_UN, LOCK_EX | LOCK_UN | LOCK_NB, 64 | 1})
    CHECK_ERRNO(flock(fd, operation), EINVAL);
  CHECK_ERRNO(flock(99, LOCK_SH), EBADF);
  CHECK_EQ(flock(fd, LOCK_UN), 0);
  CHECK_EQ(flock(fd, LOCK_UN | LOCK_NB), 0);
  unlink(path);
}

TEST(flock_excludes) {
  const int fd = open_file(), other = open_file();
  CHECK_EQ(flock(fd, LOCK_SH), 0);
  CHECK_EQ(flock(other, LOCK_SH), 0);
  CHECK_EQ(flock_elsewhere(LOCK_SH), 0);
  CHECK_EQ(flock_elsewhere(LOCK_EX), EWOULDBLOCK);
  CHECK_EQ(flock(other, LOCK_UN), 0);
  CHECK_EQ(flock(fd, LOCK_EX | LOCK_NB), 0);
  CHECK_EQ(flock(fd, LOCK_EX | LOCK_NB), 0);
  CHECK_EQ(flock_elsewhere(LOCK_SH), EWOULDBLOCK);
  CHECK_ERRNO(flock(other, LOCK_SH | LOCK_NB), EWOULDBLOCK);
  CHECK_EQ(flock(fd, LOCK_SH), 0);
  CHECK_EQ(flock(other, LOCK_SH | LOCK_NB), 0);
  CHECK_ERRNO(flock(other, LOCK_EX | LOCK_NB), EWOULDBLOCK);
  CHECK_EQ(flock(fd, LOCK_EX | LOCK_NB), 0);  // the attempt has lost the other its shared one
  unlink(path);
}

TEST(flock_is_shared_by_dup_and_fork) {
  int fd = open_file();
  CHECK_EQ(flock(fd, LOCK_EX), 0);
  int copy = dup(fd);
  CHECK_EQ(flock(copy, LOCK_EX | LOCK_NB), 0);
  close(fd);
  close(open(path, O_RDONLY));
  CHECK_EQ(flock_elsewhere(LOCK_SH), EWOULDBLOCK);
  {
    Holder holder([&] { CHECK_EQ(flock(copy, LOCK_EX | LOCK_NB), 0); });
    close(copy);
    CHECK_EQ(flock_elsewhere(LOCK_SH), EWOULDBLOCK);
  }
  CHECK_EQ(flock_elsewhere(LOCK_EX), 0);
  fd = open_file();
  CHECK_EQ(flock(fd, LOCK_EX), 0);
  CHECK_EXITED(check::in_child([&] { return flock(fd, LOCK_UN); }), 0);
  CHECK_EQ(flock_elsewhere(LOCK_EX), 0);
  unlink(path);
}

TEST(flock_and_fcntl_know_nothing_of_each_other) {
  const int fd = open_file();
  CHECK_EQ(flock(fd, LOCK_EX), 0);
  CHECK(see("................"));
  CHECK_EXITED(check::in_child([] { return set(open_file(), F_WRLCK); }), 0);
  CHECK_EQ(set(fd, F_WRLCK), 0);
  CHECK_EQ(flock(fd, LOCK_UN), 0);
  CHECK_EQ(flock_elsewhere(LOCK_EX), 0);
  CHECK(see("wwwwwwwwwwwwwwww"));
  unlink(path);
}

TEST(other_kinds_of_files) {
  int pair[2], pipe_ends[2];
  REQUIRE(pipe(pipe_ends) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  mkdir("/tmp/file-locks-directory", 0700);
  const int directory = open("/tmp/file-locks-directory", O_RDONLY | O_DIRECTORY);
  for (int fd : {directory, pipe_ends[0], pair[0]}) {
    CHECK_EQ(flock(fd, LOCK_EX), 0);
    CHECK_EQ(set(fd, F_RDLCK, 0, 1), 0);
  }
  CHECK_ERRNO(flock(pipe_ends[1], LOCK_EX | LOCK_NB), EWOULDBLOCK);  // one inode
  CHECK_ERRNO(set(directory, F_WRLCK), EBADF);
  const int again = open("/tmp/file-locks-directory", O_RDONLY | O_DIRECTORY);
  CHECK_ERRNO(flock(again, LOCK_SH | LOCK_NB), EWOULDBLOCK);
  close(directory);
  CHECK_EQ(flock(again, LOCK_SH | LOCK_NB), 0);
  rmdir("/tmp/file-locks-directory");
}

TEST(a_lock_belongs_to_the_file_not_to_its_name) {
  const int fd = open_file();
  CHECK_EQ(set(fd, F_WRLCK, 0, 2), 0);
  CHECK_EQ(flock(fd, LOCK_EX), 0);
  REQUIRE(rename(path, "/tmp/file-locks-moved") == 0);
  close(open_file());
  CHECK(see("................"));
  CHECK_EQ(flock_elsewhere(LOCK_EX), 0);
  REQUIRE(rename("/tmp/file-locks-moved", path) == 0);
  CHECK(see("ww.............."));
  CHECK_EQ(flock_elsewhere(LOCK_EX), EWOULDBLOCK);
  unlink(path);
}

TEST(no_leases) {
  const int fd = open_file();
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  CHECK_EQ(fcntl(fd, F_GETLEASE), F_UNLCK);
  CHECK_ERRNO(fcntl(fd, F_SETLEASE, F_UNLCK), EAGAIN);
  CHECK_ERRNO(fcntl(fd, F_SETLEASE, 9), EINVAL);
  CHECK_ERRNO(fcntl(ends[0], F_SETLEASE, F_RDLCK), EINVAL);
  CHECK_ERRNO(fcntl(99, F_SETLEASE, F_UNLCK), EBADF);
  unlink(path);
}

TEST(lists) {
  Holder holder([] {
    const int fd = dup2(open_file(), 50);
    CHECK_EQ(set(fd, F_WRLCK, 3, 5), 0);
    CHECK_EQ(set(fd, F_RDLCK, 20, 0), 0);
    CHECK_EQ(flock(fd, LOCK_EX), 0);
  });
  const int fd = open_file();
  CHECK_EQ(set(fd, F_RDLCK, 123456, 4, F_OFD_SETLK), 0);
  char line[128];
  snprintf(line, sizeof line, ": POSIX  ADVISORY  WRITE %d ", holder.pid);
  CHECK(has_line("/proc/locks", line));
  snprintf(line, sizeof line, ": POSIX  ADVISORY  READ %d ", holder.pid);
  CHECK(has_line("/proc/locks", line));
  snprintf(line, sizeof line, ": FLOCK  ADVISORY  WRITE %d ", holder.pid);
  CHECK(has_line("/proc/locks", line));
  CHECK(has_line("/proc/locks", ": OFDLCK ADVISORY  READ -1 "));
  CHECK(has_line("/proc/locks", " 3 7\n"));
  CHECK(has_line("/proc/locks", " 20 EOF\n"));
  CHECK(has_line("/proc/locks", " 123456 123459\n"));
  snprintf(line, sizeof line, "/proc/%d/fdinfo/50", holder.pid);
  CHECK(has_line(line, "lock:\t1: "));
  CHECK(has_line(line, ": FLOCK  ADVISORY  WRITE "));
  CHECK(has_line(line, ": POSIX  ADVISORY  WRITE "));
  close(fd);
  unlink(path);
}
