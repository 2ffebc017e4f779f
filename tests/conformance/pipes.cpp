// Conformance, pipes: order, blocking, end of file, broken pipes, atomic writes, poll and select.
#include <fcntl.h>
#include <poll.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "check.h"

struct Pipe {
  int ends[2];
  Pipe(int flags = 0) { REQUIRE(pipe2(ends, flags) == 0); }
  int out() const { return ends[0]; }
  int in() const { return ends[1]; }
};

static short state(int fd, short events, int timeout = 0) {
  pollfd entry = {fd, events, 0};
  int count = poll(&entry, 1, timeout);
  CHECK_EQ(count, entry.revents ? 1 : 0);
  return entry.revents;
}

TEST(bytes_arrive_in_order) {
  Pipe p;
  CHECK_EQ(write(p.in(), "hello ", 6), 6);
  CHECK_EQ(write(p.in(), "world", 5), 5);
  char text[32] = {};
  CHECK_EQ(read(p.out(), text, 3), 3);
  CHECK_EQ(read(p.out(), text + 3, 29), 8);
  CHECK(strcmp(text, "hello world") == 0);
  CHECK_EQ(write(p.in(), text, 0), 0);
  CHECK_EQ(read(p.out(), text, 0), 0);
}

TEST(a_reader_waits_for_the_writer) {
  Pipe p;
  pid_t child = check::start_child([&] {
    usleep(20000);
    return write(p.in(), "later", 5) == 5 ? 0 : 1;
  });
  char text[8];
  CHECK_EQ(read(p.out(), text, 8), 5);
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EXITED(status, 0);
}

TEST(end_of_file_when_the_last_writer_is_gone) {
  Pipe p;
  pid_t child = check::start_child([&] {
    close(p.out());
    return write(p.in(), "x", 1) == 1 ? 0 : 1;
  });
  close(p.in());
  char text[8];
  CHECK_EQ(read(p.out(), text, 8), 1);
  CHECK_EQ(read(p.out(), text, 8), 0);
  CHECK_EQ(read(p.out(), text, 8), 0);
  waitpid(child, nullptr, 0);
}

TEST(broken_pipe) {
  CHECK_KILLED(check::in_child([] {
                 Pipe p;
                 close(p.out());
                 return (int)write(p.in(), "x", 1);
               }),
               SIGPIPE);
  signal(SIGPIPE, SIG_IGN);
  Pipe p;
  close(p.out());
  CHECK_ERRNO(write(p.in(), "x", 1), EPIPE);
}

TEST(a_blocked_writer_learns_that_the_reader_left) {
  signal(SIGPIPE, SIG_IGN);
  Pipe p;
  pid_t child = check::start_child([&] {
    close(p.out());
    static char block[200000];
    ssize_t count = write(p.in(), block, sizeof block);
    if (count < 0) return errno == EPIPE ? 1 : 2;
    return write(p.in(), block, 1) < 0 && errno == EPIPE ? 1 : 3;
  });
  usleep(20000);
  close(p.in());
  close(p.out());
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EXITED(status, 1);
}

TEST(a_megabyte_passes_whole) {
  Pipe p;
  pid_t child = check::start_child([&] {
    close(p.out());
    static unsigned char block[1 << 20];
    for (size_t i = 0; i < sizeof block; ++i) block[i] = (unsigned char)(i * 7 + i / 251);
    size_t at = 0;
    while (at < sizeof block) {
      ssize_t count = write(p.in(), block + at, sizeof block - at);
      if (count <= 0) return 1;
      at += count;
    }
    return 0;
  });
  close(p.in());
  size_t at = 0;
  bool same = true;
  unsigned char part[5000];
  for (;;) {
    ssize_t count = read(p.out(), part, sizeof part);
    if (count <= 0) break;
    for (ssize_t i = 0; i < count; ++i, ++at) same &= part[i] == (unsigned char)(at * 7 + at / 251);
  }
  CHECK_EQ(at, 1 << 20);
  CHECK(same);
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EXITED(status, 0);
}

TEST(writes_up_to_pipe_buf_are_atomic) {
  Pipe p;
  constexpr int writers = 4, records = 50, size = 1000;
  for (int w = 0; w < writers; ++w) {
    check::start_child([&] {
      char record[size];
      memset(record, 'a' + w, size);
      for (int i = 0; i < records; ++i) {
        if (write(p.in(), record, size) != size) return 1;
      }
      return 0;
    });
  }
  close(p.in());
  int whole = 0, mixed = 0;
  char record[size];
  for (;;) {
    size_t have = 0;
    while (have < size) {
      ssize_t count = read(p.out(), record + have, size - have);
      if (count <= 0) break;
      have += count;
    }
    if (have == 0) break;
    bool same = have == size;
    for (int i = 1; i < size; ++i) same &= record[i] == record[0];
    ++(same ? whole : mixed);
  }
  CHECK_EQ(whole, writers * records);
  CHECK_EQ(mixed, 0);
  while (wait(nullptr) > 0) {
  }
}

TEST(nonblocking_ends) {
  Pipe p(O_NONBLOCK);
  char text[4096] = {};
  CHECK_ERRNO(read(p.out(), text, 1), EAGAIN);
  long total = 0;
  ssize_t count;
  while ((count = write(p.in(), text, sizeof text)) > 0) total += count;
  CHECK_EQ(errno, EAGAIN);
  CHECK_EQ(total, 65536);
  CHECK_EQ(state(p.in(), POLLOUT), 0);
  CHECK_EQ(read(p.out(), text, 4096), 4096);
  CHECK_EQ(state(p.in(), POLLOUT), POLLOUT);
  CHECK_EQ(write(p.in(), text, 4096), 4096);
  CHECK_EQ(fcntl(p.out(), F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  CHECK_EQ(fcntl(p.out(), F_SETFL, 0), 0);
  CHECK_EQ(fcntl(p.out(), F_GETFL) & O_NONBLOCK, 0);
}

TEST(poll_tells_the_state) {
  Pipe p;
  CHECK_EQ(state(p.out(), POLLIN), 0);
  CHECK_EQ(state(p.in(), POLLOUT), POLLOUT);
  CHECK_EQ(write(p.in(), "x", 1), 1);
  CHECK_EQ(state(p.out(), POLLIN), POLLIN);
  close(p.in());
  CHECK_EQ(state(p.out(), POLLIN), POLLIN | POLLHUP);
  char byte;
  CHECK_EQ(read(p.out(), &byte, 1), 1);
  CHECK_EQ(state(p.out(), POLLIN), POLLHUP);
  Pipe q;
  close(q.out());
  CHECK_EQ(state(q.in(), POLLOUT) & POLLERR, POLLERR);
  CHECK_EQ(state(99, POLLIN), POLLNVAL);
}

TEST(poll_waits_and_wakes) {
  Pipe p, q;
  pid_t child = check::start_child([&] {
    usleep(20000);
    return write(q.in(), "x", 1) == 1 ? 0 : 1;
  });
  pollfd entries[3] = {{p.out(), POLLIN, 0}, {q.out(), POLLIN, 0}, {-1, POLLIN, 77}};
  CHECK_EQ(poll(entries, 3, 20'000), 1);
  CHECK_EQ(entries[0].revents, 0);
  CHECK_EQ(entries[1].revents, POLLIN);
  CHECK_EQ(entries[2].revents, 0);
  CHECK_EQ(poll(entries, 1, 10), 0);
  waitpid(child, nullptr, 0);
}

TEST(select_refuses_times_that_no_clock_has) {
  const timeval bad[] = {{INT64_MAX, 1'000'000}, {-1, 0}, {0, -1}};
  for (timeval time : bad)
    CHECK_ERRNO(syscall(SYS_select, 0, nullptr, nullptr, nullptr, &time), EINVAL);
}

TEST(select_works_on_pipes) {
  Pipe p;
  fd_set readable, writable;
  FD_ZERO(&readable);
  FD_ZERO(&writable);
  FD_SET(p.out(), &readable);
  FD_SET(p.in(), &writable);
  timeval soon = {0, 10000};
  CHECK_EQ(select(p.in() + 1, &readable, &writable, nullptr, &soon), 1);
  CHECK(!FD_ISSET(p.out(), &readable) && FD_ISSET(p.in(), &writable));
  CHECK_EQ(write(p.in(), "x", 1), 1);
  FD_SET(p.out(), &readable);
  CHECK_EQ(select(p.out() + 1, &readable, nullptr, nullptr, nullptr), 1);
  CHECK(FD_ISSET(p.out(), &readable));
}

TEST(pipes_are_not_files) {
  Pipe p;
  CHECK_ERRNO(lseek(p.out(), 0, SEEK_SET), ESPIPE);
  CHECK_ERRNO(pread(p.out(), p.ends, 1, 0), ESPIPE);
  CHECK_ERRNO(write(p.out(), "x", 1), EBADF);
  char byte;
  CHECK_ERRNO(read(p.in(), &byte, 1), EBADF);
  struct stat facts;
  CHECK_EQ(fstat(p.out(), &facts), 0);
  CHECK(S_ISFIFO(facts.st_mode));
  CHECK_EQ(fcntl(p.in(), F_GETFL) & O_ACCMODE, O_WRONLY);
}

TEST(vectors_of_buffers) {
  Pipe p;
  char a[] = "ab", b[] = "cde", out[2], rest[8];
  iovec parts[3] = {{a, 2}, {nullptr, 0}, {b, 3}};
  CHECK_EQ(writev(p.in(), parts, 3), 5);
  iovec into[2] = {{out, 2}, {rest, 8}};
  CHECK_EQ(readv(p.out(), into, 2), 5);
  CHECK(memcmp(out, "ab", 2) == 0 && memcmp(rest, "cde", 3) == 0);
}

TEST(vectors_up_to_pipe_buf_are_atomic) {
  int ends[2];
  REQUIRE(pipe2(ends, O_NONBLOCK) == 0);
  static char bytes[65536];
  iovec two[] = {{bytes, 100}, {bytes, 100}};
  CHECK_EQ(write(ends[1], bytes, sizeof bytes), (long)sizeof bytes);
  CHECK_EQ(read(ends[0], bytes, 150), 150);
  CHECK_ERRNO(writev(ends[1], two, 2), EAGAIN);
  CHECK_EQ(read(ends[0], bytes, sizeof bytes), (long)sizeof bytes - 150);
  two[1].iov_base = (void*)8;
  CHECK_ERRNO(writev(ends[1], two, 2), EFAULT);
  CHECK_ERRNO(read(ends[0], bytes, sizeof bytes), EAGAIN);
  two[1].iov_base = bytes;
  CHECK_EQ(writev(ends[1], two, 2), 200);
  CHECK_EQ(read(ends[0], bytes, sizeof bytes), 200);
  two[1].iov_base = (void*)8;
  close(ends[0]);
  signal(SIGPIPE, SIG_IGN);
  CHECK_ERRNO(writev(ends[1], two, 2), EPIPE);
}

TEST(two_processes_play_ping_pong) {
  Pipe there, back;
  pid_t child = check::start_child([&] {
    for (int i = 0; i < 500; ++i) {
      int number;
      if (read(there.out(), &number, sizeof number) != sizeof number || number != i) return 1;
      ++number;
      if (write(back.in(), &number, sizeof number) != sizeof number) return 2;
    }
    return 0;
  });
  for (int i = 0; i < 500; ++i) {
    int number = i;
    REQUIRE(write(there.in(), &number, sizeof number) == sizeof number);
    REQUIRE(read(back.out(), &number, sizeof number) == sizeof number);
    REQUIRE(number == i + 1);
  }
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EXITED(status, 0);
}

TEST(duplicates_share_the_pipe) {
  Pipe p;
  int copy = dup(p.in());
  CHECK(copy > p.in());
  CHECK_EQ(dup2(copy, 77), 77);
  CHECK_EQ(fcntl(77, F_DUPFD, 100), 100);
  close(p.in());
  close(copy);
  close(77);
  CHECK_EQ(write(100, "x", 1), 1);
  close(100);
  char bytes[2];
  CHECK_EQ(read(p.out(), bytes, 2), 1);
  CHECK_EQ(read(p.out(), bytes, 2), 0);
  CHECK_ERRNO(dup2(77, 78), EBADF);
  CHECK_ERRNO(dup(77), EBADF);
  CHECK_EQ(dup2(1, 1), 1);
}
