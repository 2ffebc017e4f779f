// Conformance, POSIX locks on files: who may have which at once, how ranges are split and joined,
// and when they go. What waits for them is in file_lock_waits.cpp.
#include "file_locks.h"

#include <limits.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

namespace {

constexpr off_t most = LONG_MAX;

}  // namespace

/// Run by exec: what is seen of the locks that this process had before.
int helper(int, char** argv) {
  see(argv[0]);
  return check::failures;
}

TEST(arguments) {
  const int fd = open_file();
  struct flock lock = range(F_WRLCK, 0, 0, 3);
  for (int command : {F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW}) {
    lock = range(F_WRLCK, 0, 0, 3);
    CHECK_ERRNO(fcntl(fd, command, &lock), EINVAL);
    lock = range(F_WRLCK, -1, 0);
    CHECK_ERRNO(fcntl(fd, command, &lock), EINVAL);
    lock = range(F_WRLCK, 5, -6);
    CHECK_ERRNO(fcntl(fd, command, &lock), EINVAL);
    lock = range(F_WRLCK, 0, LONG_MIN);
    CHECK_ERRNO(fcntl(fd, command, &lock), EINVAL);
    lock = range(F_WRLCK, LONG_MIN, LONG_MIN);
    CHECK_ERRNO(fcntl(fd, command, &lock), EINVAL);
    lock = range(F_WRLCK, 2, most);
    CHECK_ERRNO(fcntl(fd, command, &lock), EOVERFLOW);
    lock = range(7, 0, 1);
    CHECK_ERRNO(fcntl(fd, command, &lock), EINVAL);
    lock = range(-1, 2, most);
    CHECK_ERRNO(fcntl(fd, command, &lock), command == F_GETLK ? EINVAL : EOVERFLOW);
    CHECK_ERRNO(fcntl(fd, command, nullptr), EFAULT);
    CHECK_ERRNO(fcntl(fd, command, (void*)-1), EFAULT);
    CHECK_ERRNO(fcntl(99, command, &lock), EBADF);
  }
  lock = range(F_UNLCK);
  CHECK_ERRNO(fcntl(fd, F_GETLK, &lock), EINVAL);
  CHECK_EQ(set(fd, F_WRLCK, 1, most), 0);  // its last byte is the last there is
  CHECK_EQ(set(fd, F_WRLCK, most, 1), 0);
  CHECK_EQ(set(fd, F_WRLCK, most, 0), 0);
  close(fd);
  unlink(path);
}

TEST(whences) {
  const int fd = open_file();
  REQUIRE(ftruncate(fd, 10) == 0);
  lseek(fd, 4, SEEK_SET);
  struct flock lock = range(F_WRLCK, -2, 2, SEEK_CUR);
  CHECK_EQ(fcntl(fd, F_SETLK, &lock), 0);
  lock = range(F_RDLCK, 0, -2, SEEK_END);
  CHECK_EQ(fcntl(fd, F_SETLK, &lock), 0);
  CHECK(see("..ww....rr......"));
  lock = range(F_RDLCK, most - 9, 0, SEEK_END);
  CHECK_ERRNO(fcntl(fd, F_SETLK, &lock), EOVERFLOW);
  lock = range(F_RDLCK, most - 4, 0, SEEK_CUR);
  CHECK_EQ(fcntl(fd, F_SETLK, &lock), 0);
  lock = range(F_RDLCK, -5, 0, SEEK_CUR);
  CHECK_ERRNO(fcntl(fd, F_SETLK, &lock), EINVAL);
  close(fd);
  unlink(path);
}

TEST(modes) {
  close(open_file());
  const int reader = open(path, O_RDONLY), writer = open(path, O_WRONLY), name = open(path, O_PATH);
  const int neither = open(path, 3);
  for (int command : {F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW}) {
    CHECK_ERRNO(set(reader, F_WRLCK, 0, 1, command), EBADF);
    CHECK_ERRNO(set(writer, F_RDLCK, 0, 1, command), EBADF);
    CHECK_EQ(set(reader, F_RDLCK, 0, 1, command), 0);
    CHECK_EQ(set(reader, F_UNLCK, 0, 1, command), 0);
    CHECK_EQ(set(writer, F_WRLCK, 0, 1, command), 0);
    CHECK_EQ(set(writer, F_UNLCK, 0, 1, command), 0);
    CHECK_ERRNO(set(name, F_RDLCK, 0, 1, command), EBADF);
    CHECK_ERRNO(set(neither, F_RDLCK, 0, 1, command), EBADF);
    CHECK_ERRNO(set(neither, F_WRLCK, 0, 1, command), EBADF);
    CHECK_EQ(set(neither, F_UNLCK, 0, 1, command), 0);
  }
  struct flock lock = range(F_WRLCK);
  CHECK_EQ(fcntl(reader, F_GETLK, &lock), 0);
  CHECK_ERRNO(fcntl(name, F_GETLK, &lock), EBADF);
  CHECK_ERRNO(fcntl(name, F_SETFL, 0), EBADF);
  CHECK_ERRNO(fcntl(name, F_GETOWN), EBADF);
  CHECK(fcntl(name, F_GETFL) >= 0);
  CHECK_EQ(flock(reader, LOCK_EX), 0);
  CHECK_ERRNO(flock(name, LOCK_SH), EBADF);
  CHECK_ERRNO(flock(neither, LOCK_SH), EBADF);
  CHECK_EQ(flock(neither, LOCK_UN), 0);
  unlink(path);
}

TEST(ranges_are_split_and_joined) {
  const int fd = open_file();
  CHECK_EQ(set(fd, F_WRLCK, 2, 8), 0);
  CHECK(see("..wwwwwwww......"));
  CHECK_EQ(set(fd, F_UNLCK, 5, 2), 0);
  CHECK(see("..www..www......"));
  CHECK_EQ(set(fd, F_RDLCK, 3, 3), 0);
  CHECK(see("..wrrr.www......"));
  CHECK_EQ(set(fd, F_RDLCK, 6, 2), 0);
  CHECK(see("..wrrrrrww......"));
  CHECK_EQ(set(fd, F_WRLCK, 4, 1), 0);
  CHECK(see("..wrwrrrww......"));
  CHECK_EQ(set(fd, F_WRLCK, 0, 0), 0);
  CHECK(see("wwwwwwwwwwwwwwww"));
  CHECK_EQ(set(fd, F_RDLCK, 8, 0), 0);
  CHECK(see("wwwwwwwwrrrrrrrr"));
  CHECK_EQ(set(fd, F_UNLCK, 0, 8), 0);
  CHECK(see("........rrrrrrrr"));
  CHECK_EQ(set(fd, F_UNLCK, 12, 0), 0);
  CHECK(see("........rrrr...."));
  CHECK_EQ(set(fd, F_UNLCK, 20, 1), 0);
  CHECK_EQ(set(fd, F_UNLCK, 0, 0), 0);
  CHECK(see("................"));
  close(fd);
  unlink(path);
}

TEST(the_first_in_the_way_is_told_whole) {
  Holder holder([] {
    const int fd = open_file();
    CHECK_EQ(set(fd, F_WRLCK, 2, 2), 0);
    CHECK_EQ(set(fd, F_WRLCK, 4, 3), 0);  // adjoins it
    CHECK_EQ(set(fd, F_RDLCK, 20, 0), 0);
    CHECK_EQ(set(fd, F_RDLCK, 10, 1), 0);
  });
  const int fd = open_file();
  struct flock lock = range(F_WRLCK, 3, -2);
  lock.l_pid = 1;
  CHECK_EQ(fcntl(fd, F_GETLK, &lock), 0);
  CHECK_EQ(lock.l_type, F_WRLCK);
  CHECK_EQ(lock.l_whence, SEEK_SET);
  CHECK_EQ(lock.l_start, 2);
  CHECK_EQ(lock.l_len, 5);
  CHECK_EQ(lock.l_pid, holder.pid);
  lock = range(F_WRLCK, 8);
  CHECK_EQ(fcntl(fd, F_GETLK, &lock), 0);
  CHECK_EQ(lock.l_type, F_RDLCK);
  CHECK_EQ(lock.l_start, 10);
  CHECK_EQ(lock.l_len, 1);
  lock = range(F_WRLCK, 25, 1, SEEK_CUR);
  CHECK_EQ(fcntl(fd, F_GETLK, &lock), 0);
  CHECK_EQ(lock.l_start, 20);
  CHECK_EQ(lock.l_len, 0);
  lock = range(F_RDLCK, 8, 5, SEEK_END);  // nothing in the way: only the type changes
  lock.l_pid = 77;
  CHECK_EQ(fcntl(fd, F_GETLK, &lock), 0);
  CHECK_EQ(lock.l_type, F_UNLCK);
  CHECK_EQ(lock.l_whence, SEEK_END);
  CHECK_EQ(lock.l_start, 8);
  CHECK_EQ(lock.l_len, 5);
  CHECK_EQ(lock.l_pid, 77);
  for (int command : {F_SETLK, F_OFD_SETLK}) {
    CHECK_ERRNO(set(fd, F_RDLCK, 0, 3, command), EAGAIN);
    CHECK_ERRNO(set(fd, F_WRLCK, 10, 1, command), EAGAIN);
    CHECK_EQ(set(fd, F_RDLCK, 9, 2, command), 0);
    CHECK_EQ(set(fd, F_WRLCK, 7, 2, command), 0);
    CHECK_EQ(set(fd, F_UNLCK, 0, 0, command), 0);
  }
  close(fd);
  unlink(path);
}

TEST(a_process_is_in_nobodys_way_by_its_own) {
  const int fd = open_file(), other = open_file();
  CHECK_EQ(set(fd, F_WRLCK, 0, 4), 0);
  CHECK_EQ(set(other, F_WRLCK, 2, 4), 0);
  CHECK(see("wwwwww.........."));
  struct flock lock = range(F_WRLCK);
  CHECK_EQ(fcntl(other, F_GETLK, &lock), 0);
  CHECK_EQ(lock.l_type, F_UNLCK);
  CHECK_EQ(set(other, F_UNLCK, 0, 1), 0);
  CHECK(see(".wwwww.........."));
  unlink(path);
}

// -- When POSIX locks go: with the first descriptor of the file that their process closes.

template <class Close>
static void lost_by(Close close_one) {
  const int fd = open_file();
  CHECK_EQ(set(fd, F_WRLCK, 0, 2), 0);
  close_one(fd);
  CHECK(see("................"));
  close(fd);
  unlink(path);
}

TEST(any_close_loses_them) {
  lost_by([](int) { close(open(path, O_RDONLY)); });
  lost_by([](int fd) { close(dup(fd)); });
  lost_by([](int fd) { CHECK_EQ(dup2(STDIN_FILENO, dup(fd)) >= 0, 1); });
  lost_by([](int fd) {
    const int copy = fcntl(fd, F_DUPFD, 100);
    CHECK_EQ(syscall(SYS_close_range, copy, copy, 0), 0);
  });
  lost_by([](int fd) {  // passed on, and what was on its way is received and closed
    int pair[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    char byte = 0;
    iovec part = {&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    CHECK_EQ(sendmsg(pair[0], &message, 0), 1);
    CHECK(see("ww.............."));
    CHECK_EQ(recvmsg(pair[1], &message, 0), 1);
    int got;
    memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof got);
    close(got);
  });
}

TEST(what_does_not_lose_them) {
  const int fd = open_file();
  CHECK_EQ(set(fd, F_WRLCK, 0, 2), 0);
  close(open(path, O_PATH));
  CHECK_EQ(dup2(fd, fd), fd);
  void* page = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0);
  munmap(page, 4096);
  CHECK_EXITED(check::in_child([&] {  // the child has none to lose
                 close(fd);
                 close(open(path, O_RDONLY));
                 return 0;
               }),
               0);
  CHECK(see("ww.............."));
  const int other = open("/tmp/file-locks-other", O_CREAT | O_RDWR, 0600);
  close(other);
  CHECK(see("ww.............."));
  unlink(path);
  unlink("/tmp/file-locks-other");
}

TEST(the_end_of_a_process_loses_them) {
  {
    Holder holder([] { CHECK_EQ(set(open_file(), F_WRLCK, 0, 2), 0); });
    CHECK(see("ww.............."));
  }
  CHECK(see("................"));
  unlink(path);
}

TEST(fork_does_not_hand_them_on) {
  const int fd = open_file();
  CHECK_EQ(set(fd, F_WRLCK, 0, 2), 0);
  CHECK_EXITED(check::in_child([&] {
                 CHECK_ERRNO(set(fd, F_WRLCK, 1, 1), EAGAIN);
                 CHECK_EQ(set(fd, F_UNLCK), 0);
                 CHECK_EQ(set(fd, F_WRLCK, 2, 1), 0);
                 return 0;
               }),
               0);
  CHECK(see("ww.............."));
  unlink(path);
}

TEST(exec_keeps_them) {
  for (bool shuts : {false, true}) {
    CHECK_EXITED(check::in_child([&] {
                   const int fd = open_file();
                   CHECK_EQ(set(fd, F_WRLCK, 0, 2), 0);
                   if (shuts) fcntl(fd, F_SETFD, FD_CLOEXEC);
                   execl(check::self_path, check::self_path, "--helper",
                         shuts ? "................" : "ww..............", nullptr);
                   return 77;
                 }),
                 0);
  }
  unlink(path);
}
