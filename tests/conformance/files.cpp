// Conformance, files: open modes, positions, append, truncation, holes, attributes, and errors.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "check.h"

static void enter_fresh_directory() {
  char path[64];
  snprintf(path, sizeof path, "/tmp/files-%d", (int)getpid());
  REQUIRE(mkdir(path, 0755) == 0 && chdir(path) == 0);
}

static int make(const char* name, const char* text = "", int flags = O_RDWR) {
  int fd = open(name, flags | O_CREAT | O_TRUNC, 0644);
  REQUIRE(fd >= 0);
  REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
  return fd;
}

static long size_of(int fd) {
  struct stat facts;
  REQUIRE(fstat(fd, &facts) == 0);
  return facts.st_size;
}

/// True when the file holds exactly `text`.
static bool holds(const char* name, const char* text) {
  char content[256] = {};
  int fd = open(name, O_RDONLY);
  if (fd < 0) return false;
  ssize_t count = read(fd, content, sizeof content - 1);
  close(fd);
  return count == (ssize_t)strlen(text) && strcmp(content, text) == 0;
}

TEST(create_write_read) {
  enter_fresh_directory();
  int fd = make("a", "some text");
  char text[32] = {};
  CHECK_EQ(read(fd, text, 32), 0);
  CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
  CHECK_EQ(read(fd, text, 4), 4);
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 4);
  CHECK_EQ(read(fd, text + 4, 28), 5);
  CHECK(strcmp(text, "some text") == 0);
  close(fd);
  CHECK(holds("a", "some text"));
  CHECK_EQ(unlink("a"), 0);
  CHECK_ERRNO(open("a", O_RDONLY), ENOENT);
}

TEST(open_flags) {
  enter_fresh_directory();
  close(make("a", "text"));
  CHECK_ERRNO(open("a", O_RDWR | O_CREAT | O_EXCL, 0644), EEXIST);
  CHECK_ERRNO(open("b", O_RDWR), ENOENT);
  CHECK_ERRNO(open("", O_RDONLY), ENOENT);
  CHECK_ERRNO(open(".", O_WRONLY), EISDIR);
  CHECK_ERRNO(open("a", O_RDONLY | O_DIRECTORY), ENOTDIR);
  CHECK_ERRNO(open("a/", O_RDONLY), ENOTDIR);
  CHECK_ERRNO(open("a/b", O_RDONLY), ENOTDIR);
  CHECK_ERRNO(open("none/b", O_RDWR | O_CREAT, 0644), ENOENT);
  int fd = open("a", O_RDONLY);
  CHECK_ERRNO(write(fd, "x", 1), EBADF);
  close(fd);
  fd = open("a", O_WRONLY);
  char byte;
  CHECK_ERRNO(read(fd, &byte, 1), EBADF);
  CHECK_EQ(write(fd, "T", 1), 1);
  close(fd);
  CHECK(holds("a", "Text"));
  close(open("a", O_WRONLY | O_TRUNC));
  CHECK(holds("a", ""));
}

TEST(append_always_writes_at_the_end) {
  enter_fresh_directory();
  int fd = make("a", "one", O_WRONLY | O_APPEND), other = open("a", O_WRONLY);
  CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
  CHECK_EQ(write(fd, "two", 3), 3);
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 6);
  CHECK_EQ(lseek(other, 0, SEEK_END), 6);
  CHECK_EQ(write(other, "three", 5), 5);
  CHECK_EQ(write(fd, "!", 1), 1);
  CHECK(holds("a", "onetwothree!"));
}

TEST(holes_read_as_zeros) {
  enter_fresh_directory();
  int fd = make("a", "x");
  CHECK_EQ(lseek(fd, 100000, SEEK_SET), 100000);
  CHECK_EQ(size_of(fd), 1);
  CHECK_EQ(write(fd, "y", 1), 1);
  CHECK_EQ(size_of(fd), 100001);
  char block[5000];
  memset(block, 1, sizeof block);
  CHECK_EQ(pread(fd, block, 5000, 0), 5000);
  CHECK_EQ(block[0], 'x');
  long sum = 0;
  for (int i = 1; i < 5000; ++i) sum += block[i];
  CHECK_EQ(sum, 0);
  CHECK_EQ(pread(fd, block, 5000, 99999), 2);
  CHECK_EQ(block[0], 0);
  CHECK_EQ(block[1], 'y');
  CHECK_EQ(pread(fd, block, 10, 100001), 0);
  CHECK_EQ(pread(fd, block, 10, 1 << 30), 0);
  CHECK_EQ(pwrite(fd, "z", 1, 1l << 32), 1);  // very sparse
  CHECK_EQ(size_of(fd), (1l << 32) + 1);
  CHECK_EQ(pread(fd, block, 10, (1l << 32) - 5), 6);
  CHECK_EQ(block[5], 'z');
}

TEST(truncate_and_extend) {
  enter_fresh_directory();
  int fd = make("a", "0123456789");
  CHECK_EQ(ftruncate(fd, 4), 0);
  CHECK_EQ(size_of(fd), 4);
  CHECK_EQ(ftruncate(fd, 8), 0);
  char text[16];
  memset(text, 1, 16);
  CHECK_EQ(pread(fd, text, 16, 0), 8);
  CHECK(memcmp(text, "0123\0\0\0\0", 8) == 0);
  CHECK_EQ(truncate("a", 0), 0);
  CHECK_EQ(size_of(fd), 0);
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 10);  // the position does not move
  CHECK_EQ(write(fd, "x", 1), 1);
  CHECK_EQ(size_of(fd), 11);
  CHECK_ERRNO(truncate("none", 0), ENOENT);
  CHECK_ERRNO(truncate("a", -1), EINVAL);
  CHECK_ERRNO(truncate(".", 0), EISDIR);
  CHECK_ERRNO(ftruncate(open("a", O_RDONLY), 0), EINVAL);
}

TEST(truncation_zeroes_the_rest_of_the_page) {
  enter_fresh_directory();
  int fd = make("a");
  char block[8192], back[8192];
  memset(block, 'q', sizeof block);
  CHECK_EQ(write(fd, block, 8192), 8192);
  CHECK_EQ(ftruncate(fd, 100), 0);
  CHECK_EQ(ftruncate(fd, 8192), 0);
  CHECK_EQ(pread(fd, back, 8192, 0), 8192);
  long sum = 0;
  for (int i = 100; i < 8192; ++i) sum += back[i];
  CHECK_EQ(sum, 0);
  CHECK_EQ(back[99], 'q');
}

TEST(seeking) {
  enter_fresh_directory();
  int fd = make("a", "0123456789");
  CHECK_EQ(lseek(fd, -3, SEEK_END), 7);
  CHECK_EQ(lseek(fd, 1, SEEK_CUR), 8);
  CHECK_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
  CHECK_ERRNO(lseek(fd, -20, SEEK_CUR), EINVAL);
  CHECK_ERRNO(lseek(fd, 0, 99), EINVAL);
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 8);
  CHECK_ERRNO(lseek(99, 0, SEEK_SET), EBADF);
  CHECK_ERRNO(pread(fd, &fd, 1, -1), EINVAL);
}

TEST(positions_are_shared_by_dup_and_not_by_open) {
  enter_fresh_directory();
  int fd = make("a", "0123456789"), copy = dup(fd), other = open("a", O_RDONLY);
  CHECK_EQ(lseek(fd, 2, SEEK_SET), 2);
  char byte;
  CHECK_EQ(read(copy, &byte, 1), 1);
  CHECK_EQ(byte, '2');
  CHECK_EQ(read(other, &byte, 1), 1);
  CHECK_EQ(byte, '0');
  CHECK_EXITED(check::in_child([&] { return (int)read(fd, &byte, 1); }), 1);
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 4);  // by fork, too
  CHECK_EQ(pread(fd, &byte, 1, 0), 1);
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 4);
}

TEST(an_unlinked_file_lives_while_it_is_open) {
  enter_fresh_directory();
  int fd = make("a", "ghost");
  struct stat facts;
  CHECK_EQ(fstat(fd, &facts), 0);
  CHECK_EQ(facts.st_nlink, 1);
  CHECK_EQ(unlink("a"), 0);
  CHECK_EQ(fstat(fd, &facts), 0);
  CHECK_EQ(facts.st_nlink, 0);
  char text[8] = {};
  CHECK_EQ(pread(fd, text, 8, 0), 5);
  CHECK_EQ(write(fd, "!", 1), 1);
  close(make("a", "new"));
  CHECK_EQ(pread(fd, text, 8, 0), 6);
  CHECK(holds("a", "new"));
}

TEST(attributes) {
  enter_fresh_directory();
  mode_t old = umask(027);
  int fd = open("a", O_RDWR | O_CREAT, 0666);
  struct stat facts, by_name;
  CHECK_EQ(fstat(fd, &facts), 0);
  CHECK(S_ISREG(facts.st_mode));
  CHECK_EQ(facts.st_mode & 07777, 0640);
  CHECK_EQ(umask(old), 027);
  CHECK_EQ(stat("a", &by_name), 0);
  CHECK_EQ(by_name.st_ino, facts.st_ino);
  CHECK_EQ(by_name.st_dev, facts.st_dev);
  CHECK_EQ(chmod("a", 0751), 0);
  CHECK_EQ(fstat(fd, &facts), 0);
  CHECK_EQ(facts.st_mode & 07777, 0751);
  CHECK_EQ(fchmod(fd, 0600), 0);
  CHECK_EQ(access("a", R_OK | W_OK), 0);
  CHECK_EQ(access("a", F_OK), 0);
  CHECK_ERRNO(access("b", F_OK), ENOENT);
  timespec times[2] = {{1000, 5000}, {2000, 6000}};
  CHECK_EQ(utimensat(AT_FDCWD, "a", times, 0), 0);
  CHECK_EQ(stat("a", &by_name), 0);
  CHECK_EQ(by_name.st_mtim.tv_sec, 2000);
  CHECK_EQ(by_name.st_mtim.tv_nsec, 6000);
  CHECK_ERRNO(stat("none", &facts), ENOENT);
  CHECK_ERRNO(fstat(99, &facts), EBADF);
}

TEST(devices) {
  char text[64];
  memset(text, 1, sizeof text);
  int fd = open("/dev/null", O_RDWR);
  CHECK_EQ(read(fd, text, 10), 0);
  CHECK_EQ(write(fd, text, 10), 10);
  struct stat facts;
  CHECK_EQ(fstat(fd, &facts), 0);
  CHECK(S_ISCHR(facts.st_mode));
  fd = open("/dev/zero", O_RDWR);
  CHECK_EQ(read(fd, text, 64), 64);
  CHECK_EQ(text[0] | text[63], 0);
  fd = open("/dev/full", O_RDWR);
  CHECK_ERRNO(write(fd, text, 10), ENOSPC);
  char more[64];
  fd = open("/dev/urandom", O_RDONLY);
  CHECK_EQ(read(fd, text, 64), 64);
  CHECK_EQ(read(fd, more, 64), 64);
  CHECK(memcmp(text, more, 64) != 0);
}

TEST(descriptor_table) {
  enter_fresh_directory();
  int fd = make("a");
  CHECK_EQ(close(fd), 0);
  CHECK_ERRNO(close(fd), EBADF);
  CHECK_ERRNO(close(-1), EBADF);
  CHECK_ERRNO(read(-1, &fd, 1), EBADF);
  CHECK_ERRNO(read(1000000, &fd, 1), EBADF);
  CHECK_EQ(open("a", O_RDONLY), fd);  // the lowest free one
  int opened[200];
  for (int& one : opened) {
    one = open("a", O_RDONLY);
    REQUIRE(one >= 0);
  }
  for (int one : opened) CHECK_EQ(close(one), 0);
  CHECK_ERRNO(fcntl(99, F_GETFD), EBADF);
}

TEST(a_big_file_keeps_its_contents) {
  enter_fresh_directory();
  int fd = make("big");
  static unsigned block[16384];
  for (unsigned round = 0; round < 64; ++round) {  // 4 MiB
    for (unsigned i = 0; i < 16384; ++i) block[i] = round * 16384 + i;
    REQUIRE(write(fd, block, sizeof block) == sizeof block);
  }
  CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
  bool same = true;
  for (unsigned round = 0; round < 64; ++round) {
    REQUIRE(read(fd, block, sizeof block) == sizeof block);
    for (unsigned i = 0; i < 16384; ++i) same &= block[i] == round * 16384 + i;
  }
  CHECK(same);
  CHECK_EQ(unlink("big"), 0);
}

TEST(writing_and_reading_vectors) {
  enter_fresh_directory();
  int fd = make("a");
  char one[] = "abc", two[] = "defg";
  iovec parts[2] = {{one, 3}, {two, 4}};
  CHECK_EQ(writev(fd, parts, 2), 7);
  CHECK(holds("a", "abcdefg"));
  CHECK_EQ(lseek(fd, 1, SEEK_SET), 1);
  CHECK_EQ(readv(fd, parts, 2), 6);
  CHECK(memcmp(one, "bcd", 3) == 0 && memcmp(two, "efg", 3) == 0);
  CHECK_ERRNO(writev(fd, parts, -1), EINVAL);
}
