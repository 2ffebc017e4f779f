// Conformance, holes in files: what was never written reads as zeros, lseek finds it, and fallocate
// makes more of it. File systems know them by pages at most: so do the tests.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "check.h"

namespace {

constexpr off_t page = 4096;

int scratch_file() {
  char path[] = "/tmp/holes-XXXXXX";
  const int fd = mkstemp(path);
  REQUIRE(fd >= 0 && unlink(path) == 0);
  return fd;
}

/// A file of so many pages, some of them written.
int file_of(int pages, std::initializer_list<int> written) {
  const int fd = scratch_file();
  char text[page];
  memset(text, 'x', sizeof text);
  for (int which : written) REQUIRE(pwrite(fd, text, page, which * page) == page);
  REQUIRE(ftruncate(fd, pages * page) == 0);
  return fd;
}

/// Each page as lseek sees it: 'd' for data, '.' for a hole.
void check_map(int fd, const char* wanted, int line) {
  char map[17] = {};
  const off_t size = lseek(fd, 0, SEEK_END);
  for (off_t at = 0, i = 0; at < size && i < 16; at += page, ++i)
    map[i] = lseek(fd, at, SEEK_DATA) == at ? 'd' : '.';
  for (off_t at = 0, i = 0; at < size && i < 16; at += page, ++i) {
    // And the other way round.
    const bool hole = lseek(fd, at, SEEK_HOLE) == at;
    if (hole != (map[i] == '.')) map[i] = '?';
  }
  if (strcmp(map, wanted) == 0) return;
  check::say("  line %d: %s, wanted %s\n", line, map, wanted);
  ++check::failures;
}
#define CHECK_MAP(fd, wanted) check_map(fd, wanted, __LINE__)

bool all(int fd, off_t begin, off_t end, char wanted) {
  for (off_t at = begin; at < end; ++at) {
    char byte = '?';
    if (pread(fd, &byte, 1, at) != 1 || byte != wanted) return false;
  }
  return true;
}

/// False where the file system does not know how: not all do.
bool change(int fd, int mode, off_t offset, off_t bytes) {
  errno = 0;
  if (fallocate(fd, mode, offset, bytes) == 0) return true;
  CHECK_EQ(errno, EOPNOTSUPP);
  return false;
}

constexpr int punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

}  // namespace

TEST(lseek_finds_them) {
  const int fd = file_of(10, {1, 2, 6});
  CHECK_MAP(fd, ".dd...d...");
  CHECK_EQ(lseek(fd, 0, SEEK_DATA), page);
  CHECK_EQ(lseek(fd, page + 5, SEEK_DATA), page + 5);
  CHECK_EQ(lseek(fd, page + 5, SEEK_HOLE), 3 * page);
  CHECK_EQ(lseek(fd, 3 * page, SEEK_DATA), 6 * page);
  CHECK_EQ(lseek(fd, 5, SEEK_HOLE), 5);
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 5);
  CHECK_ERRNO(lseek(fd, 7 * page, SEEK_DATA), ENXIO);
  CHECK_EQ(lseek(fd, 10 * page - 1, SEEK_HOLE), 10 * page - 1);
  for (int whence : {SEEK_DATA, SEEK_HOLE}) {
    CHECK_ERRNO(lseek(fd, 10 * page, whence), ENXIO);
    CHECK_ERRNO(lseek(fd, -1, whence), ENXIO);
    CHECK_ERRNO(lseek(fd, INT64_MIN, whence), ENXIO);
  }
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 10 * page - 1);
  CHECK(all(fd, 0, page, 0));
}

TEST(files_without_any) {
  const int fd = file_of(2, {0, 1});
  CHECK_EQ(lseek(fd, 1, SEEK_HOLE), 2 * page);  // the end counts as one
  CHECK_EQ(lseek(fd, 1, SEEK_DATA), 1);
  REQUIRE(ftruncate(fd, 2 * page - 7) == 0);
  CHECK_EQ(lseek(fd, 0, SEEK_HOLE), 2 * page - 7);
  const int empty = scratch_file();
  CHECK_ERRNO(lseek(empty, 0, SEEK_HOLE), ENXIO);
  CHECK_ERRNO(lseek(empty, 0, SEEK_DATA), ENXIO);
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  CHECK_ERRNO(lseek(ends[0], 0, SEEK_HOLE), ESPIPE);
}

TEST(what_is_written_far_behind_the_end) {
  const int fd = scratch_file();
  char text[8 * page];
  memset(text, 'x', sizeof text);
  REQUIRE(write(fd, text, sizeof text) == (ssize_t)sizeof text);
  REQUIRE(pwrite(fd, "y", 1, 12 * page) == 1);
  CHECK_MAP(fd, "dddddddd....d");
  REQUIRE(ftruncate(fd, 3 * page) == 0);
  REQUIRE(ftruncate(fd, 6 * page) == 0);
  CHECK_MAP(fd, "ddd...");
  CHECK(all(fd, 3 * page, 6 * page, 0));
}

TEST(a_mapping_fills_what_it_writes) {
  const int fd = file_of(6, {});
  char* at = (char*)mmap(nullptr, 6 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  REQUIRE(at != MAP_FAILED);
  at[2 * page] = 1;
  CHECK_EQ(msync(at, 6 * page, MS_SYNC), 0);
  CHECK_EQ(lseek(fd, 2 * page, SEEK_DATA), 2 * page);
  munmap(at, 6 * page);
}

TEST(fallocate_arguments) {
  const int fd = file_of(4, {0});
  const int reader = open("/proc/self/exe", O_RDONLY), path = open("/tmp", O_PATH);
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  CHECK_ERRNO(fallocate(fd, 0, -1, 1), EINVAL);
  CHECK_ERRNO(fallocate(fd, 0, 0, 0), EINVAL);
  CHECK_ERRNO(fallocate(fd, punch, 0, -1), EINVAL);
  CHECK_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, page), EOPNOTSUPP);
  CHECK_ERRNO(fallocate(fd, punch | FALLOC_FL_ZERO_RANGE, 0, page), EOPNOTSUPP);
  CHECK_ERRNO(fallocate(fd, 0x80, 0, page), EOPNOTSUPP);
  CHECK_ERRNO(fallocate(fd, 1 << 20, 0, page), EOPNOTSUPP);
  CHECK_ERRNO(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_KEEP_SIZE, 0, page), EOPNOTSUPP);
  CHECK_ERRNO(fallocate(fd, 0, INT64_MAX, 1), EFBIG);
  CHECK_ERRNO(fallocate(fd, punch, INT64_MAX - 5, page), EFBIG);
  CHECK_ERRNO(fallocate(reader, 0, 0, page), EBADF);
  CHECK_ERRNO(fallocate(path, 0, 0, page), EBADF);
  CHECK_ERRNO(fallocate(99, 0, 0, page), EBADF);
  CHECK_ERRNO(fallocate(ends[1], 0, 0, page), ESPIPE);
  CHECK_ERRNO(fallocate(ends[0], 0, 0, page), EBADF);
  CHECK_ERRNO(fallocate(open("/dev/null", O_WRONLY), 0, 0, page), ENODEV);
}

TEST(sizes) {
  const int fd = file_of(2, {0});
  struct stat inode;
  CHECK_EQ(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 5 * page), 0);
  fstat(fd, &inode);
  CHECK_EQ(inode.st_size, 2 * page);
  CHECK_EQ(fallocate(fd, 0, page, 3 * page), 0);
  fstat(fd, &inode);
  CHECK_EQ(inode.st_size, 4 * page);
  CHECK(all(fd, page, 4 * page, 0));
  if (!change(fd, punch, 3 * page, 5 * page)) return;
  fstat(fd, &inode);
  CHECK_EQ(inode.st_size, 4 * page);
  if (!change(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 3 * page, 5 * page)) return;
  fstat(fd, &inode);
  CHECK_EQ(inode.st_size, 4 * page);
  CHECK_EQ(fallocate(fd, FALLOC_FL_ZERO_RANGE, 3 * page, 5 * page), 0);
  fstat(fd, &inode);
  CHECK_EQ(inode.st_size, 8 * page);
}

TEST(punching) {
  const int fd = file_of(12, {0, 1, 2, 3, 4, 5, 6, 7, 8});
  struct stat before, after;
  fstat(fd, &before);
  if (!change(fd, punch, 2 * page, 2 * page)) return;
  CHECK_MAP(fd, "dd..ddddd...");
  fstat(fd, &after);
  CHECK(after.st_blocks < before.st_blocks);
  CHECK(change(fd, punch, 5 * page + 10, 2 * page));  // parts of two pages, and a whole one
  CHECK_MAP(fd, "dd..dd.dd...");
  CHECK(all(fd, 5 * page, 5 * page + 10, 'x'));
  CHECK(all(fd, 5 * page + 10, 7 * page + 10, 0));
  CHECK(all(fd, 7 * page + 10, 9 * page, 'x'));
  CHECK(change(fd, punch, 4 * page + 1, 2));
  CHECK(all(fd, 4 * page, 4 * page + 1, 'x'));
  CHECK(all(fd, 4 * page + 1, 4 * page + 3, 0));
  CHECK(all(fd, 4 * page + 3, 5 * page, 'x'));
  CHECK(change(fd, punch, 0, 100 * page));
  CHECK_MAP(fd, "............");
  CHECK_EQ(lseek(fd, 0, SEEK_END), 12 * page);
  CHECK_EQ(pwrite(fd, "new", 3, 6 * page), 3);
  CHECK_MAP(fd, "......d.....");
  CHECK(all(fd, 6 * page + 3, 7 * page, 0));
}

TEST(punching_the_last_page) {
  const int fd = file_of(3, {0, 1, 2});
  REQUIRE(ftruncate(fd, 2 * page + 100) == 0);
  if (!change(fd, punch, 2 * page, page)) return;
  CHECK_MAP(fd, "dd.");
  REQUIRE(ftruncate(fd, 4 * page) == 0);
  CHECK(all(fd, 2 * page, 4 * page, 0));
}

TEST(mappings_see_the_zeros) {
  const int fd = file_of(4, {0, 1, 2, 3});
  char* shared = (char*)mmap(nullptr, 4 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  char* own = (char*)mmap(nullptr, 4 * page, PROT_READ, MAP_PRIVATE, fd, 0);
  char* copy = (char*)mmap(nullptr, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  shared[page + 7] = 'w';
  CHECK_EQ(own[2 * page], 'x');
  copy[3 * page] = 'p';
  if (!change(fd, punch, page, 3 * page)) return;
  CHECK_EQ(shared[page + 7], 0);
  CHECK_EQ(shared[2 * page], 0);
  CHECK_EQ(own[2 * page], 0);
  CHECK_EQ(copy[3 * page], 'p');
  CHECK_EQ(shared[0], 'x');
  shared[page] = 'n';
  CHECK(all(fd, page, page + 1, 'n'));
  CHECK_EQ(own[page], 'n');
}

TEST(zeroing) {
  const int fd = file_of(6, {0, 1, 2, 3, 4, 5});
  if (!change(fd, FALLOC_FL_ZERO_RANGE, page + 10, 2 * page)) return;
  CHECK(all(fd, 0, page + 10, 'x'));
  CHECK(all(fd, page + 10, 3 * page + 10, 0));
  CHECK(all(fd, 3 * page + 10, 6 * page, 'x'));
}
