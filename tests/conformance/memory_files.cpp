// Conformance, files of memfd_create: without a name, and with seals that end for ever what can be
// done to them.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "check.h"

namespace {

constexpr unsigned no_exec = 8, exec = 16;  // MFD_NOEXEC_SEAL, MFD_EXEC
constexpr int seal_exec = 32;
constexpr size_t page = 4096;

int make(unsigned flags = MFD_ALLOW_SEALING, size_t bytes = 2 * page) {
  const int fd = memfd_create("some name", flags);
  REQUIRE(fd >= 0 && ftruncate(fd, (off_t)bytes) == 0);
  return fd;
}

mode_t mode_of(int fd) {
  struct stat inode = {};
  fstat(fd, &inode);
  return inode.st_mode;
}

char* map(int fd, int protection, int flags) {
  void* at = mmap(nullptr, page, protection, flags, fd, 0);
  return at == MAP_FAILED ? nullptr : (char*)at;
}

}  // namespace

TEST(arguments) {
  char name[300];
  memset(name, 'x', sizeof name);
  name[250] = '\0';
  CHECK_ERRNO(memfd_create(name, 0), EINVAL);
  name[249] = '\0';
  CHECK(memfd_create(name, 0) >= 0);
  CHECK(memfd_create("", 0) >= 0);
  CHECK_ERRNO(memfd_create((char*)8, 0), EFAULT);
  CHECK_ERRNO(memfd_create("a", 0x20), EINVAL);
  CHECK_ERRNO(memfd_create("a", 1u << 31), EINVAL);
  CHECK_ERRNO(memfd_create("a", no_exec | exec), EINVAL);
}

TEST(it_is_a_file) {
  const int fd = make(MFD_CLOEXEC);
  CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
  CHECK_EQ(fcntl(make(0), F_GETFD), 0);
  CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
  CHECK_EQ(mode_of(fd), S_IFREG | 0777);
  struct stat inode;
  fstat(fd, &inode);
  CHECK_EQ(inode.st_nlink, 0);
  CHECK_EQ(pwrite(fd, "abc", 3, 0), 3);
  char path[64], target[64] = {};
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  CHECK(readlink(path, target, sizeof target - 1) > 0);
  CHECK_EQ(strcmp(target, "/memfd:some name (deleted)"), 0);
  const int again = open(path, O_RDONLY);
  char text[4] = {};
  CHECK_EQ(read(again, text, 3), 3);
  CHECK_EQ(strcmp(text, "abc"), 0);
  char* shared = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
  REQUIRE(shared);
  shared[1] = 'x';
  CHECK_EQ(pread(again, text, 3, 0), 3);
  CHECK_EQ(strcmp(text, "axc"), 0);
}

TEST(it_can_be_run) {
  const int from = open("/proc/self/exe", O_RDONLY), fd = memfd_create("program", MFD_CLOEXEC);
  char buffer[page];
  for (ssize_t got; (got = read(from, buffer, sizeof buffer)) > 0;)
    REQUIRE(write(fd, buffer, (size_t)got) == got);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  const int reader = open(path, O_RDONLY);
  close(fd);
  CHECK_EXITED(check::in_child([&] {
                 char* const arguments[] = {(char*)"x", (char*)"--helper", nullptr};
                 fexecve(reader, arguments, environ);
                 return 77;
               }),
               5);
}

int helper(int, char**) {
  return 5;
}

TEST(which_files_have_seals) {
  CHECK_EQ(fcntl(make(), F_GET_SEALS), 0);
  const int sealed = make(0);
  CHECK_EQ(fcntl(sealed, F_GET_SEALS), F_SEAL_SEAL);
  CHECK_ERRNO(fcntl(sealed, F_ADD_SEALS, F_SEAL_GROW), EPERM);
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  CHECK_ERRNO(fcntl(ends[0], F_GET_SEALS), EINVAL);
  CHECK_ERRNO(fcntl(ends[1], F_ADD_SEALS, F_SEAL_GROW), EINVAL);
  CHECK_ERRNO(fcntl(99, F_GET_SEALS), EBADF);
  const int fd = make();
  CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, 64), EINVAL);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  CHECK_ERRNO(fcntl(open(path, O_RDONLY), F_ADD_SEALS, F_SEAL_GROW), EPERM);
  CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0);
  CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL), 0);
  CHECK_EQ(fcntl(open(path, O_RDONLY), F_GET_SEALS), F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
  CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
}

TEST(sizes) {
  int fd = make();
  CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
  CHECK_ERRNO(ftruncate(fd, page), EPERM);
  CHECK_EQ(ftruncate(fd, 2 * page), 0);
  CHECK_EQ(ftruncate(fd, 3 * page), 0);
  CHECK_EQ(pwrite(fd, "x", 1, 0), 1);
  fd = make();
  CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0);
  CHECK_ERRNO(ftruncate(fd, 3 * page), EPERM);
  CHECK_ERRNO(pwrite(fd, "x", 1, 2 * page), EPERM);
  CHECK_ERRNO(fallocate(fd, 0, 0, 3 * page), EPERM);
  CHECK_EQ(pwrite(fd, "x", 1, 2 * page - 1), 1);
  CHECK_EQ(ftruncate(fd, page), 0);
  CHECK_ERRNO(ftruncate(fd, 2 * page), EPERM);
}

TEST(contents) {
  for (int seal : {F_SEAL_WRITE, 16 /* F_SEAL_FUTURE_WRITE */}) {
    const int fd = make();
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, seal), 0);
    CHECK_ERRNO(pwrite(fd, "x", 1, 0), EPERM);
    CHECK_ERRNO(pwrite(fd, "x", 1, 2 * page), EPERM);
    CHECK_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, page), EPERM);
    CHECK(!map(fd, PROT_READ | PROT_WRITE, MAP_SHARED));
    CHECK_EQ(errno, EPERM);
    char* shared = map(fd, PROT_READ, MAP_SHARED);
    CHECK(shared != nullptr);
    CHECK_ERRNO(mprotect(shared, page, PROT_READ | PROT_WRITE), EACCES);
    char* own = map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    REQUIRE(own);
    own[0] = 'x';
    CHECK_EQ(shared[0], 0);
    CHECK_EQ(ftruncate(fd, page), 0);
    CHECK_EQ(ftruncate(fd, 2 * page), 0);
  }
}

TEST(mappings_that_write) {
  int fd = make();
  char* shared = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
  CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
  CHECK_EQ(fcntl(fd, F_GET_SEALS), 0);
  munmap(shared, page);
  CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
  fd = make();
  shared = map(fd, PROT_READ, MAP_SHARED);  // which could be made to
  CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
  munmap(shared, page);
  char* own = map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
  munmap(own, page);
  fd = make();
  shared = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
  CHECK_EQ(fcntl(fd, F_ADD_SEALS, 16 /* F_SEAL_FUTURE_WRITE */), 0);
  shared[0] = 'x';  // what is there goes on
  char byte;
  CHECK_EQ(pread(fd, &byte, 1, 0), 1);
  CHECK_EQ(byte, 'x');
}

TEST(what_may_not_be_run) {
  const int fd = make(no_exec);
  CHECK_EQ(mode_of(fd), S_IFREG | 0666);
  CHECK_EQ(fcntl(fd, F_GET_SEALS), seal_exec);
  CHECK_ERRNO(fchmod(fd, 0777), EPERM);
  CHECK_EQ(fchmod(fd, 0600), 0);
  const int other = make();
  CHECK_EQ(fcntl(other, F_ADD_SEALS, seal_exec), 0);  // as it can be run, it is not written to
  CHECK_EQ(fcntl(other, F_GET_SEALS), seal_exec | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | 16);
  CHECK_ERRNO(fchmod(other, 0666), EPERM);
}
