// Conformance, splice, tee, vmsplice: what moves, what stays, who waits, and what is refused.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "check.h"

namespace {

struct Pipe {
  int ends[2];
  Pipe(int flags = 0) { REQUIRE(pipe2(ends, flags) == 0); }
  ~Pipe() { close(ends[0]), close(ends[1]); }
  int out() const { return ends[0]; }
  int in() const { return ends[1]; }
  void fill() const {
    fcntl(in(), F_SETFL, O_NONBLOCK);
    static const char page[4096] = {};
    while (write(in(), page, sizeof page) > 0) {
    }
    fcntl(in(), F_SETFL, 0);
  }
};

int temporary_file(const char* text) {
  char name[] = "/tmp/splices-XXXXXX";
  const int fd = mkstemp(name);
  REQUIRE(fd >= 0 && unlink(name) == 0);
  const auto length = (ssize_t)strlen(text);
  REQUIRE(write(fd, text, length) == length && lseek(fd, 0, SEEK_SET) == 0);
  return fd;
}

// What is there now, as a string.
const char* taken(int fd) {
  static char text[256];
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  const ssize_t got = read(fd, text, sizeof text - 1);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  text[got > 0 ? got : 0] = 0;
  return text;
}
#define CHECK_TAKEN(fd, wanted) CHECK(strcmp(taken(fd), wanted) == 0)

void* const nowhere = reinterpret_cast<void*>(8);
off64_t* const bad_offset = static_cast<off64_t*>(nowhere);

}  // namespace

TEST(from_a_file_into_a_pipe) {
  Pipe p;
  const int file = temporary_file("0123456789");
  CHECK_EQ(splice(file, nullptr, p.in(), nullptr, 4, 0), 4);
  CHECK_TAKEN(p.out(), "0123");
  CHECK_EQ(lseek(file, 0, SEEK_CUR), 4);
  off64_t at = 7;
  CHECK_EQ(splice(file, &at, p.in(), nullptr, 100, SPLICE_F_MOVE | SPLICE_F_MORE), 3);
  CHECK_TAKEN(p.out(), "789");
  CHECK_EQ(at, 10);
  CHECK_EQ(lseek(file, 0, SEEK_CUR), 4);
  CHECK_EQ(splice(file, &at, p.in(), nullptr, 100, 0), 0);
  at = 1000;
  CHECK_EQ(splice(file, &at, p.in(), nullptr, 100, 0), 0);
  CHECK_EQ(at, 1000);
}

TEST(from_a_pipe_into_a_file) {
  Pipe p;
  const int file = temporary_file("..........");
  CHECK_EQ(write(p.in(), "abcdef", 6), 6);
  CHECK_EQ(splice(p.out(), nullptr, file, nullptr, 2, 0), 2);
  CHECK_EQ(lseek(file, 0, SEEK_CUR), 2);
  off64_t at = 8;
  CHECK_EQ(splice(p.out(), nullptr, file, &at, 100, 0), 4);
  CHECK_EQ(at, 12);
  CHECK_EQ(lseek(file, 0, SEEK_CUR), 2);
  char text[16] = {};
  CHECK_EQ(pread(file, text, sizeof text, 0), 12);
  CHECK(strcmp(text, "ab......cdef") == 0);
  close(p.ends[1]);
  CHECK_EQ(splice(p.out(), nullptr, file, nullptr, 100, 0), 0);
}

TEST(large_ones_arrive_whole_and_in_order) {
  const int from = temporary_file(""), to = temporary_file("");
  static char page[4096];
  for (int i = 0; i < 60; ++i) {
    memset(page, 'a' + i % 26, sizeof page);
    REQUIRE(write(from, page, sizeof page) == sizeof page);
  }
  Pipe p;
  off64_t at = 0, arrived = 0;
  while (true) {
    const ssize_t in = splice(from, &at, p.in(), nullptr, 1 << 20, 0);
    if (in <= 0) break;
    for (ssize_t left = in; left > 0;) {
      const ssize_t out = splice(p.out(), nullptr, to, &arrived, left, 0);
      REQUIRE(out > 0);
      left -= out;
    }
  }
  CHECK_EQ(arrived, 60 * 4096);
  for (int i = 0; i < 60; ++i) {
    REQUIRE(pread(to, page, sizeof page, i * 4096) == sizeof page);
    CHECK_EQ(page[0], 'a' + i % 26);
    CHECK_EQ(page[4095], 'a' + i % 26);
  }
}

TEST(between_pipes) {
  Pipe a, b;
  CHECK_EQ(write(a.in(), "abcdef", 6), 6);
  CHECK_EQ(splice(a.out(), nullptr, b.in(), nullptr, 4, 0), 4);
  CHECK_TAKEN(b.out(), "abcd");
  CHECK_TAKEN(a.out(), "ef");
  CHECK_ERRNO(splice(a.out(), nullptr, b.in(), nullptr, 4, SPLICE_F_NONBLOCK), EAGAIN);
  close(a.ends[1]);
  CHECK_EQ(splice(a.out(), nullptr, b.in(), nullptr, 4, 0), 0);
}

TEST(tee_leaves_it_there) {
  Pipe a, b;
  CHECK_EQ(write(a.in(), "abcdef", 6), 6);
  CHECK_EQ(tee(a.out(), b.in(), 4, 0), 4);
  CHECK_EQ(tee(a.out(), b.in(), 100, 0), 6);
  CHECK_TAKEN(b.out(), "abcdabcdef");
  CHECK_TAKEN(a.out(), "abcdef");
  CHECK_ERRNO(tee(a.out(), b.in(), 4, SPLICE_F_NONBLOCK), EAGAIN);
  close(a.ends[1]);
  CHECK_EQ(tee(a.out(), b.in(), 4, 0), 0);
}

TEST(tee_of_much) {
  Pipe a, b;
  static char bytes[20000], back[20000];
  for (unsigned i = 0; i < sizeof bytes; ++i) bytes[i] = (char)(i * 7 % 251);
  CHECK_EQ(write(a.in(), bytes, sizeof bytes), sizeof bytes);
  CHECK_EQ(tee(a.out(), b.in(), 1 << 20, 0), sizeof bytes);
  CHECK_EQ(read(b.out(), back, sizeof back), sizeof back);
  CHECK(memcmp(bytes, back, sizeof back) == 0);
  memset(back, 0, sizeof back);
  CHECK_EQ(read(a.out(), back, sizeof back), sizeof back);
  CHECK(memcmp(bytes, back, sizeof back) == 0);
}

TEST(vmsplice_goes_both_ways) {
  Pipe p;
  char one[] = "abc", two[] = "defg", first[8] = {}, second[8] = {};
  iovec parts[] = {{one, 3}, {two, 4}}, back[] = {{first, 2}, {second, 8}};
  CHECK_EQ(vmsplice(p.in(), parts, 2, 0), 7);
  CHECK_EQ(vmsplice(p.out(), back, 2, 0), 7);
  CHECK(strcmp(first, "ab") == 0 && strcmp(second, "cdefg") == 0);
  CHECK_EQ(vmsplice(p.in(), parts, 0, 0), 0);
  CHECK_ERRNO(vmsplice(p.out(), back, 2, SPLICE_F_NONBLOCK), EAGAIN);
}

TEST(vmsplice_into_a_full_pipe) {
  Pipe p;
  p.fill();
  char text[] = "abc";
  iovec part = {text, 3};
  CHECK_ERRNO(vmsplice(p.in(), &part, 1, SPLICE_F_NONBLOCK), EAGAIN);
  close(p.ends[0]);
  signal(SIGPIPE, SIG_IGN);
  CHECK_ERRNO(vmsplice(p.in(), &part, 1, 0), EPIPE);
}

TEST(to_a_socket) {
  int pair[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  Pipe p;
  CHECK_EQ(write(p.in(), "through", 7), 7);
  CHECK_EQ(splice(p.out(), nullptr, pair[0], nullptr, 100, 0), 7);
  CHECK_TAKEN(pair[1], "through");
}

TEST(to_a_device) {
  const int null = open("/dev/null", O_WRONLY);
  Pipe p;
  CHECK_EQ(write(p.in(), "gone", 4), 4);
  CHECK_EQ(splice(p.out(), nullptr, null, nullptr, 100, 0), 4);
  CHECK_TAKEN(p.out(), "");
}

TEST(waits_for_the_first_byte_alone) {
  Pipe a, b;
  const pid_t child = check::start_child([&] {
    usleep(20000);
    return write(a.in(), "later", 5) == 5 ? 0 : 1;
  });
  CHECK_EQ(splice(a.out(), nullptr, b.in(), nullptr, 100, 0), 5);
  CHECK_TAKEN(b.out(), "later");
  int status;
  waitpid(child, &status, 0);
  CHECK_EXITED(status, 0);
}

TEST(waits_for_room) {
  Pipe a, b;
  b.fill();
  CHECK_EQ(write(a.in(), "x", 1), 1);
  CHECK_ERRNO(splice(a.out(), nullptr, b.in(), nullptr, 100, SPLICE_F_NONBLOCK), EAGAIN);
  CHECK_ERRNO(tee(a.out(), b.in(), 100, SPLICE_F_NONBLOCK), EAGAIN);
  const pid_t child = check::start_child([&] {
    usleep(20000);
    static char much[65536];
    return read(b.out(), much, sizeof much) > 0 ? 0 : 1;
  });
  CHECK_EQ(splice(a.out(), nullptr, b.in(), nullptr, 100, 0), 1);
  int status;
  waitpid(child, &status, 0);
  CHECK_EXITED(status, 0);
}

TEST(a_reader_and_a_splice_share_what_there_is) {
  Pipe p;
  const int null = open("/dev/null", O_WRONLY);
  const pid_t child = check::start_child([&] {
    close(p.ends[1]);
    char text[512];
    while (read(p.out(), text, sizeof text) > 0) {
    }
    return 0;
  });
  const pid_t other = check::start_child([&] {
    close(p.ends[1]);
    while (splice(p.out(), nullptr, null, nullptr, 700, 0) > 0) {
    }
    return 0;
  });
  static char bytes[3000];
  for (int i = 0; i < 200; ++i) CHECK_EQ(write(p.in(), bytes, sizeof bytes), sizeof bytes);
  close(p.ends[1]);
  int status;
  waitpid(child, &status, 0);
  CHECK_EXITED(status, 0);
  waitpid(other, &status, 0);
  CHECK_EXITED(status, 0);
}

// Two pipes, each moved into the other by processes that wait for one another.
TEST(pipes_moved_into_each_other) {
  Pipe a, b;
  REQUIRE(write(a.in(), "ball", 4) == 4);
  const pid_t child = check::start_child([&] {
    for (int i = 0; i < 500; ++i)
      if (splice(b.out(), nullptr, a.in(), nullptr, 4, 0) != 4) return 1;
    return 0;
  });
  for (int i = 0; i < 500; ++i) REQUIRE(splice(a.out(), nullptr, b.in(), nullptr, 4, 0) == 4);
  int status;
  waitpid(child, &status, 0);
  CHECK_EXITED(status, 0);
  CHECK_TAKEN(a.out(), "ball");
}

TEST(a_signal_ends_the_wait) {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  sigaction(SIGALRM, &action, nullptr);
  const itimerval soon = {{0, 50'000}, {0, 20'000}}, never = {};
  Pipe a, b;
  const int null = open("/dev/null", O_WRONLY);
  setitimer(ITIMER_REAL, &soon, nullptr);
  CHECK_ERRNO(splice(a.out(), nullptr, b.in(), nullptr, 1, 0), EINTR);
  CHECK_ERRNO(splice(a.out(), nullptr, null, nullptr, 1, 0), EINTR);
  CHECK_ERRNO(tee(a.out(), b.in(), 1, 0), EINTR);
  setitimer(ITIMER_REAL, &never, nullptr);
}

TEST(nobody_reads) {
  signal(SIGPIPE, SIG_IGN);
  Pipe a, b;
  const int file = temporary_file("text");
  CHECK_EQ(write(a.in(), "x", 1), 1);
  close(b.ends[0]);
  CHECK_ERRNO(splice(a.out(), nullptr, b.in(), nullptr, 1, 0), EPIPE);
  CHECK_ERRNO(tee(a.out(), b.in(), 1, 0), EPIPE);
  CHECK_ERRNO(splice(file, nullptr, b.in(), nullptr, 1, 0), EPIPE);
  CHECK_TAKEN(a.out(), "x");
  signal(SIGPIPE, SIG_DFL);
  CHECK_KILLED(check::in_child([&] { return (int)splice(file, nullptr, b.in(), nullptr, 1, 0); }),
               SIGPIPE);
}

TEST(refused_arguments) {
  Pipe p, q;
  const int file = temporary_file("text");
  CHECK_EQ(write(p.in(), "x", 1), 1);
  CHECK_EQ(splice(-1, nullptr, -1, nullptr, 0, 0), 0);
  CHECK_EQ(tee(-1, -1, 0, 0), 0);
  CHECK_ERRNO(splice(-1, nullptr, q.in(), nullptr, 1, 0), EBADF);
  CHECK_ERRNO(splice(p.out(), nullptr, -1, nullptr, 1, 0), EBADF);
  CHECK_ERRNO(splice(p.out(), nullptr, q.in(), nullptr, 1, 0x10), EINVAL);
  CHECK_ERRNO(tee(p.out(), q.in(), 1, 0x10), EINVAL);
  CHECK_ERRNO(splice(p.in(), nullptr, q.in(), nullptr, 1, 0), EBADF);
  CHECK_ERRNO(splice(p.out(), nullptr, q.out(), nullptr, 1, 0), EBADF);
  CHECK_ERRNO(tee(p.in(), q.in(), 1, 0), EBADF);
  CHECK_ERRNO(tee(p.out(), q.out(), 1, 0), EBADF);
  CHECK_ERRNO(tee(p.out(), file, 1, 0), EINVAL);
  CHECK_ERRNO(tee(p.out(), p.in(), 1, 0), EINVAL);
  CHECK_ERRNO(splice(p.out(), nullptr, p.in(), nullptr, 1, 0), EINVAL);
  CHECK_ERRNO(splice(file, nullptr, file, nullptr, 1, 0), EINVAL);
  off64_t at = 0;
  CHECK_ERRNO(splice(p.out(), &at, q.in(), nullptr, 1, 0), ESPIPE);
  CHECK_ERRNO(splice(p.out(), nullptr, q.in(), &at, 1, 0), ESPIPE);
  CHECK_ERRNO(splice(file, nullptr, q.in(), bad_offset, 1, 0), ESPIPE);
  CHECK_ERRNO(splice(file, bad_offset, q.in(), nullptr, 1, 0), EFAULT);
  CHECK_ERRNO(splice(p.out(), nullptr, file, bad_offset, 1, 0), EFAULT);
  at = -1;
  CHECK_ERRNO(splice(file, &at, q.in(), nullptr, 1, 0), EINVAL);
  CHECK_ERRNO(splice(p.out(), nullptr, file, &at, 1, 0), EINVAL);
  fcntl(file, F_SETFL, O_APPEND);
  CHECK_ERRNO(splice(p.out(), nullptr, file, nullptr, 1, 0), EINVAL);
  CHECK_TAKEN(p.out(), "x");
}

TEST(refused_vectors) {
  Pipe p;
  char text[8];
  iovec good = {text, 8}, bad = {nowhere, 8};
  const int file = temporary_file("text");
  CHECK_ERRNO(vmsplice(-1, &good, 1, 0), EBADF);
  CHECK_ERRNO(vmsplice(file, &good, 1, 0), EBADF);
  CHECK_ERRNO(vmsplice(p.in(), &good, 1, 0x10), EINVAL);
  CHECK_ERRNO(vmsplice(p.in(), &good, 1025, 0), EINVAL);
  CHECK_ERRNO(vmsplice(p.in(), static_cast<iovec*>(nowhere), 1, 0), EFAULT);
  CHECK_ERRNO(vmsplice(p.in(), &bad, 1, 0), EFAULT);
  CHECK_EQ(write(p.in(), "x", 1), 1);
  CHECK_ERRNO(vmsplice(p.out(), &bad, 1, 0), EFAULT);
}

TEST(a_limit_on_files_holds) {
  signal(SIGXFSZ, SIG_IGN);
  Pipe p;
  const int file = temporary_file("");
  const rlimit limit = {3, 3};
  REQUIRE(write(p.in(), "abcdef", 6) == 6 && setrlimit(RLIMIT_FSIZE, &limit) == 0);
  CHECK_EQ(splice(p.out(), nullptr, file, nullptr, 6, 0), 3);
  CHECK_ERRNO(splice(p.out(), nullptr, file, nullptr, 6, 0), EFBIG);
}
