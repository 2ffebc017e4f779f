// Conformance, transfers that stop on the way: what has moved counts, and the error is told only
// when nothing has. All files lie in the working directory, so that the same program tries every
// file system.
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "check.h"

static constexpr size_t page = 4096;
static constexpr size_t lengths[] = {1, 7, 100, page - 1, page, page + 1, 2 * page + 100};

/// Memory of which exactly `good` bytes can be used, at any alignment that results.
static char* edge(size_t good) {
  const size_t room = 4 * page;
  char* p =
      (char*)mmap(nullptr, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(p != MAP_FAILED && mprotect(p + room, page, PROT_NONE) == 0);
  return p + room - good;
}

static char pattern(size_t i) {
  return (char)('A' + i % 57);
}
static bool has_pattern(const char* p, size_t from, size_t bytes) {
  size_t i = 0;
  while (i < bytes && p[i] == pattern(from + i)) ++i;
  return i == bytes;
}
static void fill(char* p, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) p[i] = pattern(i);
}

static int make_file(size_t bytes) {
  int fd = open("transfers", O_RDWR | O_CREAT | O_TRUNC, 0644);
  REQUIRE(fd >= 0 && unlink("transfers") == 0);
  static char text[8 * page];
  fill(text, bytes);
  REQUIRE(pwrite(fd, text, bytes, 0) == (ssize_t)bytes);
  return fd;
}

TEST(reading_a_file) {
  int fd = make_file(5 * page);
  for (size_t good : lengths) {
    char* p = edge(good);
    CHECK_EQ(pread(fd, p, 4 * page, 3), good);
    CHECK(has_pattern(p, 3, good));
    CHECK_EQ(lseek(fd, 5, SEEK_SET), 5);
    p = edge(good);
    CHECK_EQ(read(fd, p, 4 * page), good);
    CHECK(has_pattern(p, 5, good));
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 5 + good);
    char first[10];
    iovec parts[] = {{first, 10}, {edge(good), 3 * page}};
    CHECK_EQ(preadv(fd, parts, 2, 1), 10 + good);
    CHECK(has_pattern(first, 1, 10) && has_pattern((char*)parts[1].iov_base, 11, good));
  }
  CHECK_ERRNO(pread(fd, edge(0), page, 0), EFAULT);
}

TEST(reading_a_hole) {
  int fd = make_file(1);
  REQUIRE(ftruncate(fd, 8 * page) == 0);
  for (size_t good : lengths) CHECK_EQ(pread(fd, edge(good), 4 * page, page), good);
}

TEST(writing_a_file) {
  for (size_t good : lengths) {
    for (off_t at : {0, 9, 4096, 5000}) {
      for (bool fresh : {false, true}) {  // over what is there, and behind the end
        int fd = make_file(fresh ? 0 : 5 * page);
        char* p = edge(good);
        fill(p, good);
        CHECK_EQ(pwrite(fd, p, 4 * page, at), good);
        static char back[6 * page];
        CHECK_EQ(pread(fd, back, sizeof back, 0), fresh ? at + good : 5 * page);
        CHECK(memcmp(back + at, p, good) == 0);
        if (!fresh) CHECK(has_pattern(back + at + good, at + good, 5 * page - at - good));
        close(fd);
      }
    }
  }
  int fd = make_file(0);
  char first[10] = {};
  iovec parts[] = {{first, 10}, {edge(100), page}};
  CHECK_EQ(writev(fd, parts, 2), 110);
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 110);
  CHECK_EQ(lseek(fd, 0, SEEK_END), 110);
  CHECK_ERRNO(write(fd, edge(0), page), EFAULT);
  CHECK_EQ(lseek(fd, 0, SEEK_END), 110);
}

TEST(appending_and_reading_back_what_was_not_written) {
  int fd = make_file(0);
  size_t size = 0;
  for (int round = 0; round < 3; ++round) {
    for (size_t good : lengths) {
      char* p = edge(good);
      fill(p, good);
      CHECK_EQ(pwrite(fd, p, 4 * page, (off_t)size), good);
      size += good;
      CHECK_EQ(lseek(fd, 0, SEEK_END), size);
      REQUIRE(ftruncate(fd, (off_t)size + 50) == 0);
      char zeros[50];
      CHECK_EQ(pread(fd, zeros, 50, (off_t)size), 50);
      for (char zero : zeros) CHECK_EQ(zero, 0);
      REQUIRE(ftruncate(fd, (off_t)size) == 0);
    }
  }
}

// A page of a pipe moves as a whole or not at all.
TEST(pipes) {
  for (size_t good : lengths) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const size_t whole = good / page * page;
    char* p = edge(good);
    fill(p, good);
    if (whole)
      CHECK_EQ(write(ends[1], p, 4 * page), whole);
    else
      CHECK_ERRNO(write(ends[1], p, 4 * page), EFAULT);
    static char text[4 * page];
    fill(text, sizeof text);
    if (whole) {
      CHECK_EQ(read(ends[0], text, sizeof text), whole);
      CHECK(has_pattern(text, 0, whole));
    }
    fill(text, sizeof text);
    REQUIRE(write(ends[1], text, 3 * page) == 3 * page);
    p = edge(good);
    if (whole)
      CHECK_EQ(read(ends[0], p, 3 * page), whole);
    else
      CHECK_ERRNO(read(ends[0], p, 3 * page), EFAULT);
    CHECK(has_pattern(p, 0, whole));
    CHECK_EQ(read(ends[0], text, sizeof text), 3 * page - whole);  // no byte was lost
    CHECK(has_pattern(text, whole, 3 * page - whole));
    close(ends[0]);
    close(ends[1]);
  }
}

static volatile int signals;

TEST(a_reader_that_goes_in_the_middle) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  signal(SIGPIPE, [](int) { signals = signals + 1; });
  pid_t reader = check::start_child([&] {
    close(ends[1]);
    char text[page];
    return read(ends[0], text, page) == page ? 0 : 1;
  });
  close(ends[0]);
  static char text[1 << 18];
  long count = write(ends[1], text, sizeof text);
  CHECK(count >= 65536 && count < (long)sizeof text);
  CHECK_EQ(signals, 1);  // the signal comes with the count
  CHECK_ERRNO(write(ends[1], text, 1), EPIPE);
  CHECK_EQ(signals, 2);
  iovec parts[] = {{text, 10}, {text, 10}};
  CHECK_ERRNO(writev(ends[1], parts, 2), EPIPE);
  int status;
  CHECK_EQ(waitpid(reader, &status, 0), reader);
}

TEST(a_signal_in_the_middle) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  struct sigaction action = {};
  action.sa_handler = [](int) { signals = signals + 1; };
  sigaction(SIGUSR1, &action, nullptr);  // no SA_RESTART
  const pid_t writer = getpid();
  pid_t child = check::start_child([&] {
    while (true) {  // until the pipe is full, and its writer waits
      int queued = 0;
      if (syscall(SYS_ioctl, ends[0], 0x541b /* FIONREAD */, &queued) != 0) return 1;
      if (queued == 65536) break;
      usleep(1000);
    }
    usleep(10000);
    return kill(writer, SIGUSR1);
  });
  static char text[1 << 17];
  CHECK_EQ(write(ends[1], text, sizeof text), 65536);
  CHECK_EQ(signals, 1);
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EXITED(status, 0);
}

TEST(devices) {
  int zero = open("/dev/zero", O_RDONLY), random = open("/dev/urandom", O_RDONLY);
  for (size_t good : lengths) {
    char* p = edge(good);
    memset(p, 'x', good);
    CHECK_EQ(read(zero, p, 4 * page), good);
    CHECK_EQ(p[0] | p[good - 1], 0);
    CHECK_EQ(read(random, edge(good), 4 * page), good);
    CHECK_EQ(syscall(SYS_getrandom, edge(good), 4 * page, 0), good);
  }
  CHECK_ERRNO(read(zero, edge(0), 1), EFAULT);
  CHECK_ERRNO(read(random, edge(0), 1), EFAULT);
}

TEST(proc_files) {
  char whole[page];
  int fd = open("/proc/self/stat", O_RDONLY);
  REQUIRE(fd >= 0);
  CHECK(pread(fd, whole, page, 0) > 30);
  char* p = edge(20);
  CHECK_EQ(pread(fd, p, page, 0), 20);
  CHECK(memcmp(p, whole, 10) == 0);
}

TEST(listing_a_directory) {
  REQUIRE(mkdir("transfers-list", 0755) == 0 && chdir("transfers-list") == 0);
  for (int i = 0; i < 20; ++i) {
    char name[32];
    snprintf(name, sizeof name, "name-%02d", i);
    close(open(name, O_CREAT | O_WRONLY, 0644));
  }
  int fd = open(".", O_RDONLY | O_DIRECTORY);
  int seen = 0;
  for (;;) {
    // Room for some entries by what is said, for fewer in truth.
    char* p = edge(100);
    long bytes = syscall(SYS_getdents64, fd, p, 1000);
    if (bytes <= 0) {
      CHECK_EQ(bytes, 0);
      break;
    }
    CHECK(bytes <= 100);
    for (long at = 0; at < bytes; at += ((dirent64*)(p + at))->d_reclen) ++seen;
  }
  CHECK_EQ(seen, 22);
  for (int i = 0; i < 20; ++i) {
    char name[32];
    snprintf(name, sizeof name, "name-%02d", i);
    unlink(name);
  }
  CHECK(chdir("..") == 0 && rmdir("transfers-list") == 0);
}

/// The end of what is appended lies in the file's own last page, where a mapping is to be filled
/// while the beginning has been written and the end of file has not moved yet.
TEST(appending_from_a_mapping_of_the_same_file) {
  for (ssize_t size : {2 * page + 100, page - 50, 3 * page - 1}) {
    for (int flags : {MAP_SHARED, MAP_PRIVATE}) {
      int fd = make_file(size);
      const ssize_t last = size / page * page, before = 50,
                    after = 50 < size - last ? 50 : size - last;
      char* memory = (char*)mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      memset(memory, 'A', 2 * page);
      REQUIRE(mmap(memory + page, page, PROT_READ, flags | MAP_FIXED, fd, last) == memory + page);
      char file[page] = {}, wanted[page] = {};
      REQUIRE(pread(fd, wanted, after, last) == after);
      CHECK_EQ(pwrite(fd, memory + page - before, before + after, size), before + after);
      CHECK_EQ(pread(fd, file, page, size), before + after);
      for (ssize_t i = 0; i < before; ++i) REQUIRE(file[i] == 'A');
      CHECK(memcmp(file + before, wanted, after) == 0);
      munmap(memory, 2 * page);
      close(fd);
    }
  }
}

TEST(offsets_at_the_end_of_all_offsets) {
  int fd = make_file(100);
  char bytes[8];
  iovec parts[] = {{bytes, 4}, {bytes + 4, 4}};
  for (off_t at : {(off_t)INT64_MAX, (off_t)INT64_MAX - 3, (off_t)-1}) {
    CHECK_ERRNO(pread(fd, bytes, 8, at), EINVAL);
    CHECK_ERRNO(pwrite(fd, bytes, 8, at), EINVAL);
    CHECK_ERRNO(preadv(fd, parts, 2, at), EINVAL);
    CHECK_ERRNO(pwritev(fd, parts, 2, at), EINVAL);
  }
  CHECK_EQ(pread(fd, bytes, 0, INT64_MAX), 0);
  CHECK_EQ(preadv(fd, parts, 2, INT64_MAX - 16), 0);
}

TEST(from_file_to_file) {
  int from = make_file(3 * page), to = make_file(0);
  off_t at = 100;
  CHECK_EQ(sendfile(to, from, &at, 8 * page), 3 * page - 100);
  CHECK_EQ(at, 3 * page);
  int ends[2];
  REQUIRE(pipe2(ends, O_NONBLOCK) == 0);
  static char text[65536 - 2 * page];
  REQUIRE(write(ends[1], text, sizeof text) == (ssize_t)sizeof text);
  at = 0;
  CHECK_EQ(sendfile(ends[1], from, &at, 3 * page), 2 * page);
  CHECK_EQ(at, 2 * page);
  CHECK_ERRNO(sendfile(ends[1], from, &at, page), EAGAIN);
}
