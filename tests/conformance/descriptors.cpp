// Conformance: descriptors as paths (/proc/self/fd, /dev/fd) and copy_file_range between them.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "check.h"

namespace {

long copy_range(int from, off_t* from_at, int to, off_t* to_at, size_t bytes, unsigned flags = 0) {
  return syscall(SYS_copy_file_range, from, from_at, to, to_at, bytes, flags);
}

/// An open, empty file without a name.
int scratch_file(const char* content) {
  char path[] = "/tmp/descriptors-XXXXXX";
  int fd = mkstemp(path);
  unlink(path);
  if (write(fd, content, strlen(content)) < 0) check::failures++;
  lseek(fd, 0, SEEK_SET);
  return fd;
}

const char* path_of(int fd, const char* folder = "/proc/self/fd") {
  static char path[64];
  snprintf(path, sizeof path, "%s/%d", folder, fd);
  return path;
}

bool reads(int fd, const char* wanted) {
  char text[64] = {};
  lseek(fd, 0, SEEK_SET);
  return read(fd, text, sizeof text - 1) == (long)strlen(wanted) && strcmp(text, wanted) == 0;
}

}  // namespace

TEST(a_pipe_is_opened_again_by_its_number) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  for (const char* folder : {"/proc/self/fd", "/dev/fd"}) {
    int again = open(path_of(ends[0], folder), O_RDONLY);
    REQUIRE(again >= 0);
    CHECK_EQ(write(ends[1], "ab", 2), 2);
    char byte = 0;
    CHECK_EQ(read(again, &byte, 1), 1);
    CHECK_EQ(read(ends[0], &byte, 1), 1);
    CHECK_EQ(byte, 'b');
    close(again);
  }
  int writer = open(path_of(ends[1]), O_WRONLY);
  close(ends[1]);
  CHECK_EQ(write(writer, "c", 1), 1);
  close(writer);
  char rest[4];
  CHECK_EQ(read(ends[0], rest, sizeof rest), 1);
  CHECK_EQ(read(ends[0], rest, sizeof rest), 0);
}

TEST(a_file_has_its_own_position) {
  int fd = scratch_file("hello");
  lseek(fd, 3, SEEK_SET);
  int again = open(path_of(fd), O_RDWR);
  REQUIRE(again >= 0);
  CHECK_EQ(lseek(again, 0, SEEK_CUR), 0);
  CHECK_EQ(write(again, "J", 1), 1);
  CHECK(reads(fd, "Jello"));
  struct stat one, other;
  CHECK_EQ(fstat(fd, &one), 0);
  CHECK_EQ(stat(path_of(fd), &other), 0);
  CHECK_EQ(one.st_ino, other.st_ino);
  CHECK_EQ(lstat(path_of(fd), &other), 0);
  CHECK(S_ISLNK(other.st_mode));
}

TEST(a_directory_leads_on) {
  mkdir("/tmp/descriptors", 0755);
  int directory = open("/tmp/descriptors", O_RDONLY | O_DIRECTORY);
  char path[80], target[80] = {};
  snprintf(path, sizeof path, "%s/file", path_of(directory));
  int fd = open(path, O_CREAT | O_WRONLY, 0600);
  CHECK(fd >= 0);
  CHECK_EQ(access("/tmp/descriptors/file", F_OK), 0);
  CHECK_EQ(readlink(path_of(directory), target, sizeof target - 1), 16);
  CHECK(strcmp(target, "/tmp/descriptors") == 0);
  unlink("/tmp/descriptors/file");
  rmdir("/tmp/descriptors");
}

TEST(what_is_not_open_is_not_there) {
  CHECK_ERRNO(open("/proc/self/fd/999", O_RDONLY), ENOENT);
  CHECK_ERRNO(open("/proc/self/fd/x", O_RDONLY), ENOENT);
  CHECK_ERRNO(open("/proc/self/fd/01", O_RDONLY), ENOENT);
  CHECK_ERRNO(open("/proc/self/fd/new", O_CREAT | O_WRONLY, 0600), ENOENT);
  CHECK_ERRNO(unlink("/proc/self/fd/0"), EPERM);
}

TEST(the_folder_lists_them) {
  int fd = dup2(0, 77);
  DIR* folder = opendir("/proc/self/fd");
  REQUIRE(folder != nullptr);
  bool found = false;
  while (dirent* entry = readdir(folder)) found |= strcmp(entry->d_name, "77") == 0;
  CHECK(found);
  closedir(folder);
  close(fd);
}

TEST(ranges_are_copied) {
  int from = scratch_file("0123456789"), to = scratch_file("");
  CHECK_EQ(copy_range(from, nullptr, to, nullptr, 4), 4);
  CHECK_EQ(lseek(from, 0, SEEK_CUR), 4);
  CHECK_EQ(lseek(to, 0, SEEK_CUR), 4);
  off_t from_at = 8, to_at = 1;
  CHECK_EQ(copy_range(from, &from_at, to, &to_at, 100), 2);
  CHECK_EQ(from_at, 10);
  CHECK_EQ(to_at, 3);
  CHECK_EQ(lseek(from, 0, SEEK_CUR), 4);
  CHECK_EQ(lseek(to, 0, SEEK_CUR), 4);
  CHECK_EQ(copy_range(from, &from_at, to, &to_at, 100), 0);
  CHECK(reads(to, "0893"));
}

TEST(ranges_that_cannot_be_copied) {
  int file = scratch_file("0123456789"), ends[2];
  REQUIRE(pipe(ends) == 0);
  off_t two = 2, five = 5;
  CHECK_ERRNO(copy_range(file, &two, file, &five, 4), EINVAL);
  CHECK_EQ(copy_range(file, &two, file, &five, 3), 3);
  CHECK(reads(file, "0123423489"));
  CHECK_ERRNO(copy_range(file, nullptr, file, &five, 4, 1), EINVAL);
  CHECK_ERRNO(copy_range(ends[0], nullptr, file, nullptr, 4), EINVAL);
  CHECK_ERRNO(copy_range(-1, nullptr, file, nullptr, 4), EBADF);
  int reader = open("/proc/self/exe", O_RDONLY);
  CHECK_ERRNO(copy_range(file, nullptr, reader, nullptr, 4), EBADF);
  int directory = open("/", O_RDONLY);
  CHECK_ERRNO(copy_range(directory, nullptr, file, nullptr, 4), EISDIR);
}
