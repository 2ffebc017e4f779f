// Conformance, mapped files: private and shared mappings of a file, the end of the file, and
// shared anonymous memory.
#include <fcntl.h>
#include <setjmp.h>
#include <sys/mman.h>

#include "check.h"

static constexpr size_t page = 4096;
static sigjmp_buf landing;

static int signal_of(volatile char* address) {
  auto handler = [](int number) { siglongjmp(landing, number); };
  signal(SIGSEGV, handler);
  signal(SIGBUS, handler);
  int number = sigsetjmp(landing, 1);
  if (number == 0) (void)*address;
  return number;
}

/// A file of `bytes` bytes, byte i being 'a' + i / page.
static int make_file(size_t bytes) {
  unlink("/tmp/mapped");
  int fd = open("/tmp/mapped", O_RDWR | O_CREAT | O_EXCL, 0644);
  REQUIRE(fd >= 0);
  for (size_t at = 0; at < bytes; at += page) {
    char text[page];
    memset(text, 'a' + (int)(at / page), page);
    size_t part = bytes - at < page ? bytes - at : page;
    REQUIRE(write(fd, text, part) == (ssize_t)part);
  }
  return fd;
}

static char* map_file(int fd, size_t bytes, int protection, int flags, off_t offset = 0) {
  void* p = mmap(nullptr, bytes, protection, flags, fd, offset);
  REQUIRE(p != MAP_FAILED);
  return (char*)p;
}

TEST(private_mapping_shows_the_file) {
  int fd = make_file(3 * page);
  char* p = map_file(fd, 3 * page, PROT_READ, MAP_PRIVATE);
  CHECK_EQ(p[0], 'a');
  CHECK_EQ(p[2 * page + 1], 'c');
  char* q = map_file(fd, page, PROT_READ, MAP_PRIVATE, 2 * page);
  CHECK_EQ(q[7], 'c');
  close(fd);
  CHECK_EQ(p[page], 'b');  // the mapping outlives the descriptor
  CHECK_EQ(unlink("/tmp/mapped"), 0);
  CHECK_EQ(p[page + 1], 'b');  // and the name
}

TEST(private_writes_stay_private) {
  int fd = make_file(2 * page);
  char* p = map_file(fd, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  p[0] = 'X';
  char byte;
  CHECK_EQ(pread(fd, &byte, 1, 0), 1);
  CHECK_EQ(byte, 'a');
  CHECK_EQ(p[1], 'a');
  CHECK_EXITED(check::in_child([&] {
                 CHECK_EQ(p[0], 'X');
                 p[page] = 'Y';
                 return 0;
               }),
               0);
  CHECK_EQ(p[page], 'b');
}

TEST(shared_writes_reach_the_file) {
  int fd = make_file(2 * page);
  char* p = map_file(fd, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED);
  p[page + 2] = 'Z';
  char byte;
  CHECK_EQ(pread(fd, &byte, 1, page + 2), 1);
  CHECK_EQ(byte, 'Z');
  CHECK_EQ(pwrite(fd, "W", 1, 3), 1);
  CHECK_EQ(p[3], 'W');
  CHECK_EXITED(check::in_child([&] {
                 p[4] = 'V';
                 return 0;
               }),
               0);
  CHECK_EQ(p[4], 'V');
}

TEST(beyond_the_end_of_the_file) {
  int fd = make_file(page + 10);
  char* p = map_file(fd, 4 * page, PROT_READ, MAP_PRIVATE);
  CHECK_EQ(p[page + 9], 'b');
  CHECK_EQ(p[page + 10], 0);
  CHECK_EQ(p[2 * page - 1], 0);
  CHECK_EQ(signal_of(p + 2 * page), SIGBUS);
  CHECK_EQ(signal_of(p + 3 * page), SIGBUS);
  CHECK_EQ(p[0], 'a');
}

TEST(access_modes) {
  int fd = make_file(page);
  close(fd);
  fd = open("/tmp/mapped", O_RDONLY);
  CHECK_ERRNO(mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EACCES);
  CHECK(mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) != MAP_FAILED);
  close(fd);
  fd = open("/tmp/mapped", O_WRONLY);
  CHECK_ERRNO(mmap(nullptr, page, PROT_READ, MAP_PRIVATE, fd, 0), EACCES);
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  CHECK_ERRNO(mmap(nullptr, page, PROT_READ, MAP_PRIVATE, ends[0], 0), ENODEV);
  CHECK_ERRNO(mmap(nullptr, page, PROT_READ, MAP_PRIVATE, open("/tmp", O_RDONLY), 0), ENODEV);
}

TEST(shared_anonymous_memory_is_shared_by_fork) {
  void* mapped = mmap(nullptr, 4 * page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(mapped != MAP_FAILED);
  volatile int* shared = (volatile int*)mapped;
  CHECK_EQ(shared[0], 0);
  CHECK_EXITED(check::in_child([&] {
                 shared[0] = 5;
                 shared[3 * page / 4] = 6;  // first touched by the child
                 return WEXITSTATUS(check::in_child([&] {
                   shared[1] = shared[0] + 1;
                   return 0;
                 }));
               }),
               0);
  CHECK_EQ(shared[0], 5);
  CHECK_EQ(shared[1], 6);
  CHECK_EQ(shared[3 * page / 4], 6);
}

TEST(read_and_write_straight_between_file_and_fresh_pages) {
  int fd = make_file(20 * page);
  char* p =
      (char*)mmap(nullptr, 20 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK_EQ(pread(fd, p + 100, 19 * page, 50), 19 * page);  // no page of it was touched before
  CHECK_EQ(p[99], 0);
  CHECK_EQ(p[100], 'a');
  CHECK_EQ(p[100 + page - 50], 'b');
  CHECK_EQ(p[100 + 19 * page - 1], 't');
  char* zeros = (char*)mmap(nullptr, 4 * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK_EQ(pwrite(fd, zeros, 4 * page, 0), 4 * page);  // nor of this
  char byte = 1;
  CHECK_EQ(pread(fd, &byte, 1, 4 * page - 1), 1);
  CHECK_EQ(byte, 0);
  CHECK_EQ(unlink("/tmp/mapped"), 0);
}

static int present(const char* at, size_t which = 0) {
  unsigned char pages[8] = {};
  REQUIRE(mincore((void*)at, (which + 1) * page, pages) == 0);
  return pages[which] & 1;
}

TEST(what_is_in_memory) {
  int fd = make_file(2 * page);
  for (int flags : {MAP_SHARED, MAP_PRIVATE}) {
    char* p = map_file(fd, 4 * page, PROT_READ | PROT_WRITE, flags);
    CHECK_EQ(present(p), 1);  // in the file's cache, though nobody has touched it here
    CHECK_EQ(present(p, 1), 1);
    CHECK_EQ(present(p, 2), 0);  // behind the end
    munmap(p, 4 * page);
  }
  char* fresh =
      (char*)mmap(nullptr, 16 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK_EQ(present(fresh), 0);
  fresh[0] = 1;
  CHECK_EQ(present(fresh), 1);
  char* shared =
      (char*)mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK_EQ(present(shared), 0);
  CHECK_EXITED(check::in_child([&] { return shared[0] = 0; }), 0);
  CHECK_EQ(present(shared), 1);  // the child's page is ours
  unlink("/tmp/mapped");
}

TEST(mlock_brings_in_what_it_locks) {
  int fd = make_file(2 * page);
  char* memory =
      (char*)mmap(nullptr, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK_EQ(mlock(memory + 1, 4 * page - 1), 0);
  for (size_t i = 0; i < 4; ++i) CHECK_EQ(present(memory, i), 1);
  CHECK_EQ(munlock(memory, 4 * page), 0);
  char* file = map_file(fd, 4 * page, PROT_READ, MAP_SHARED);
  CHECK_EQ(mlock(file, 2 * page), 0);
  CHECK_ERRNO(mlock(file, 4 * page), ENOMEM);  // behind the end
  CHECK_EQ(mlock2(file + 2 * page, page, MLOCK_ONFAULT), 0);
  mprotect(memory, page, PROT_NONE);
  CHECK_ERRNO(mlock(memory, page), ENOMEM);
  unlink("/tmp/mapped");
}

TEST(mincore_arguments) {
  unsigned char pages[2];
  char* p = (char*)mmap(nullptr, 2 * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(p + page, page);
  CHECK_ERRNO(mincore(p + 1, page, pages), EINVAL);
  CHECK_ERRNO(mincore(p, 2 * page, pages), ENOMEM);
  CHECK_ERRNO(mincore(p, page, (unsigned char*)8), EFAULT);
  CHECK_EQ(mincore(p, 0, pages), 0);
  CHECK_EQ(mincore(p, 1, pages), 0);
}

TEST(msync_and_its_flags) {
  const int fd = make_file(4 * page);
  char* p = map_file(fd, 4 * page, PROT_READ | PROT_WRITE, MAP_SHARED);
  for (int flags :
       {0, MS_SYNC, MS_ASYNC, MS_INVALIDATE, MS_SYNC | MS_INVALIDATE, MS_ASYNC | MS_INVALIDATE}) {
    CHECK_EQ(msync(p, 4 * page, flags), 0);
    CHECK_EQ(msync(p + page, 1, flags), 0);
    CHECK_EQ(msync(p, 0, flags), 0);
    CHECK_EQ(msync(p, (size_t)-1, flags), 0);  // rounded up it is nothing
    CHECK_ERRNO(msync(p + 1, page, flags), EINVAL);
    CHECK_ERRNO(msync(p, (size_t)-page, flags), ENOMEM);
    CHECK_EQ(msync((void*)page, 0, flags), 0);
    CHECK_ERRNO(msync((void*)page, page, flags), ENOMEM);
  }
  for (int flags : {MS_SYNC | MS_ASYNC, 8, -1, 1 << 20}) CHECK_ERRNO(msync(p, page, flags), EINVAL);
  REQUIRE(munmap(p + page, page) == 0);
  p[0] = 'x', p[2 * page] = 'y';
  for (int flags : {0, MS_SYNC, MS_ASYNC, MS_INVALIDATE}) {
    CHECK_ERRNO(msync(p, 4 * page, flags), ENOMEM);
    CHECK_ERRNO(msync(p + page, page, flags), ENOMEM);
    CHECK_EQ(msync(p + 2 * page, 2 * page, flags), 0);
  }
  char byte = 0;
  CHECK_EQ(pread(fd, &byte, 1, 2 * page), 1);
  CHECK_EQ(byte, 'y');
  close(fd);
  unlink("/tmp/mapped");
}
