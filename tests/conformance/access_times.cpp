// Conformance, access times: what counts as reading a file, and when it is noted (relatime: once
// after each change).
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "check.h"

namespace {

constexpr char path[] = "/tmp/access-times", target[] = "/tmp/access-times-other",
               folder[] = "/tmp/access-times-folder", link_path[] = "/tmp/access-times-link";
constexpr time_t long_ago = 1000, later = 2000;

void set_times(const char* which, time_t access, time_t modification) {
  const timespec times[2] = {{access, 0}, {modification, 0}};
  REQUIRE(utimensat(AT_FDCWD, which, times, AT_SYMLINK_NOFOLLOW) == 0);
}

time_t access_time(const char* which) {
  struct stat inode;
  REQUIRE(lstat(which, &inode) == 0);
  return inode.st_atim.tv_sec;
}

/// Does this note an access to a file that has one to note?
template <class Body>
bool notes(Body body, const char* which = path, int flags = O_RDWR) {
  set_times(which, long_ago, later);
  const int fd = open(which, flags);
  body(fd);
  close(fd);
  return access_time(which) != long_ago;
}

void make_files() {
  const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
  REQUIRE(write(fd, "abcdef", 6) == 6);
  close(fd);
  close(open(target, O_RDWR | O_CREAT | O_TRUNC, 0644));
  mkdir(folder, 0755);
  symlink("nowhere", link_path);
}

void remove_files() {
  unlink(path);
  unlink(target);
  unlink(link_path);
  rmdir(folder);
}

char buffer[512];

}  // namespace

TEST(what_reads) {
  make_files();
  CHECK(notes([](int fd) { CHECK_EQ(read(fd, buffer, 3), 3); }));
  CHECK(notes([](int fd) { CHECK_EQ(pread(fd, buffer, 3, 1), 3); }));
  CHECK(notes([](int fd) {
    iovec part = {buffer, 3};
    CHECK_EQ(readv(fd, &part, 1), 3);
    CHECK_EQ(preadv(fd, &part, 1, 0), 3);
  }));
  CHECK(notes([](int fd) { CHECK_EQ(pread(fd, buffer, 3, 100), 0); }));  // behind the end, too
  CHECK(notes([](int fd) {
    void* at = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    CHECK(at != MAP_FAILED);
    munmap(at, 4096);
  }));
  CHECK(notes([](int fd) {
    const int to = open(target, O_WRONLY);
    CHECK_EQ(sendfile(to, fd, nullptr, 3), 3);
    close(to);
  }));
  CHECK(notes([](int fd) {
    const int to = open(target, O_WRONLY);
    CHECK_EQ(syscall(SYS_copy_file_range, fd, nullptr, to, nullptr, 3, 0), 3);
    close(to);
  }));
  CHECK(notes([](int fd) { CHECK(syscall(SYS_getdents64, fd, buffer, sizeof buffer) > 0); }, folder,
              O_RDONLY));
  CHECK(notes([](int) { CHECK_EQ(readlink(link_path, buffer, sizeof buffer), 7); }, link_path,
              O_PATH | O_NOFOLLOW));
  remove_files();
}

TEST(what_does_not) {
  make_files();
  CHECK(!notes([](int) {}));
  CHECK(!notes([](int fd) { CHECK_EQ(write(fd, "x", 1), 1); }));
  CHECK(!notes([](int fd) { CHECK_EQ(lseek(fd, 2, SEEK_SET), 2); }));
  CHECK(!notes([](int fd) { CHECK_EQ(ftruncate(fd, 3), 0); }));
  CHECK(!notes([](int) {
    struct stat inode;
    CHECK_EQ(stat(path, &inode), 0);
    CHECK_EQ(access(path, R_OK), 0);
  }));
  CHECK(!notes([](int) { CHECK_EQ(chmod(path, 0600), 0); }));
  CHECK(!notes([](int) { close(open("/tmp/access-times-folder/x", O_RDONLY)); }, folder, O_RDONLY));
  remove_files();
}

TEST(who_asks_for_it_leaves_no_trace) {
  make_files();
  auto reads = [](int fd) { CHECK_EQ(read(fd, buffer, 3), 3); };
  CHECK(!notes(reads, path, O_RDONLY | O_NOATIME));
  CHECK(!notes([&](int fd) {
    CHECK_EQ(fcntl(fd, F_SETFL, O_NOATIME), 0);
    reads(fd);
    CHECK_EQ(pread(fd, buffer, 3, 0), 3);
  }));
  CHECK(!notes([](int fd) { CHECK(syscall(SYS_getdents64, fd, buffer, sizeof buffer) > 0); },
               folder, O_RDONLY | O_NOATIME));
  CHECK(notes([&](int fd) {
    CHECK_EQ(fcntl(fd, F_SETFL, O_NOATIME), 0);
    CHECK_EQ(fcntl(fd, F_SETFL, 0), 0);
    reads(fd);
  }));
  remove_files();
}

TEST(once_after_each_change) {
  make_files();
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  const time_t ahead = now.tv_sec + 3600;
  set_times(path, ahead, later);  // behind all changes: nothing is to be noted
  const int fd = open(path, O_RDWR);
  CHECK_EQ(read(fd, buffer, 1), 1);
  CHECK_EQ(access_time(path), ahead);
  set_times(path, ahead, ahead);
  CHECK_EQ(read(fd, buffer, 1), 1);
  CHECK(access_time(path) < ahead);
  set_times(path, ahead, ahead + 5);
  CHECK_EQ(read(fd, buffer, 1), 1);
  CHECK(access_time(path) < ahead);
  close(fd);
  remove_files();
}
