// A guest program for disk_test.cpp, static: what busybox has no applet for. Its first word says
// what to do.
//   mapped FILE     writes through a shared mapping, calls msync, says "synced" and sleeps
//   unmapped FILE   the same, but unmaps without msync and ends
//   append FILE     appends 4 KiB of a known pattern, fsync, says how many there are; for ever
//   access FILE     says whether it may be written
//   numbers FILE    says by stat, statx and /proc/self/maps on which device the file is
//   fill FILE       fsyncs FILE.first, then writes more than the host has room for, in three ways,
//                   and says what each write and each fsync, O_SYNC and msync return
//   memory MIB      fills so much anonymous memory and finds it unchanged
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static constexpr size_t record = 4096, mapped_bytes = 300'000;

[[noreturn]] static void fail(const char* what) {
  perror(what);
  exit(1);
}

static void say(const char* text) {
  if (write(1, text, strlen(text)) < 0) exit(2);
}

/// Byte i of every file that this program writes.
static char pattern(size_t i) {
  return (char)('A' + i / 7 % 50);
}

static char* write_mapping(const char* path) {
  int fd = open(path, O_RDWR | O_CREAT, 0644);
  if (fd < 0 || ftruncate(fd, mapped_bytes) != 0) fail(path);
  void* at = mmap(nullptr, mapped_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) fail("mmap");
  close(fd);
  char* bytes = (char*)at;
  // Once before and once behind a flush: what is mapped stays writable without any notice.
  for (int round = 0; round < 2; ++round) {
    for (size_t i = round ? mapped_bytes / 2 : 0; i < mapped_bytes; ++i) bytes[i] = pattern(i);
    if (round == 0 && msync(at, mapped_bytes, MS_SYNC) != 0) fail("msync");
  }
  return bytes;
}

static void append_for_ever(const char* path) {
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (fd < 0) fail(path);
  char bytes[record], line[32];
  for (size_t count = 0;; ++count) {
    for (size_t i = 0; i < record; ++i) bytes[i] = pattern(count * record + i);
    if (write(fd, bytes, record) != (ssize_t)record) fail("write");
    if (fsync(fd) != 0) fail("fsync");
    snprintf(line, sizeof line, "%zu\n", count + 1);
    say(line);
  }
}

static void say_numbers(const char* path) {
  struct stat by_stat = {};
  struct statx by_statx = {};
  int fd = open(path, O_RDONLY);
  if (fd < 0 || fstat(fd, &by_stat) != 0) fail(path);
  if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &by_statx) != 0) fail("statx");
  void* at = mmap(nullptr, record, PROT_READ, MAP_PRIVATE, fd, 0);
  FILE* maps = fopen("/proc/self/maps", "r");
  if (at == MAP_FAILED || !maps) fail("maps");
  char line[256];
  unsigned long begin = 0;
  unsigned map_major = 0, map_minor = 0;
  while (begin != (unsigned long)at && fgets(line, sizeof line, maps))
    sscanf(line, "%lx-%*x %*s %*x %x:%x", &begin, &map_major, &map_minor);
  snprintf(line, sizeof line, "%u:%u %u:%u %u:%u\n", major(by_stat.st_dev), minor(by_stat.st_dev),
           by_statx.stx_dev_major, by_statx.stx_dev_minor, map_major, map_minor);
  say(line);
}

static void say_outcome(const char* what, bool good) {
  char line[64];
  snprintf(line, sizeof line, "%s: %s\n", what, good ? "done" : strerrorname_np(errno));
  say(line);
}

static int new_file(const char* path, const char* suffix, int flags = 0) {
  char name[256];
  snprintf(name, sizeof name, "%s%s", path, suffix);
  int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | flags, 0644);
  if (fd < 0) fail(name);
  return fd;
}

static void fill_host(const char* path) {
  constexpr size_t much = 1 << 20;
  static char bytes[much];
  for (size_t i = 0; i < much; ++i) bytes[i] = pattern(i);
  int first = new_file(path, ".first");
  say_outcome("first write", write(first, bytes, 2 * record) == 2 * (ssize_t)record);
  say_outcome("first fsync", fsync(first) == 0);

  int fd = new_file(path, "");
  say_outcome("write", write(fd, bytes, much) == (ssize_t)much);
  say_outcome("fsync", fsync(fd) == 0);
  say_outcome("O_SYNC write", write(new_file(path, ".sync", O_SYNC), bytes, much) == (ssize_t)much);

  int mapped = new_file(path, ".mapped");
  if (ftruncate(mapped, much) != 0) fail("ftruncate");
  void* at = mmap(nullptr, much, PROT_READ | PROT_WRITE, MAP_SHARED, mapped, 0);
  if (at == MAP_FAILED) fail("mmap");
  memcpy(at, bytes, much);
  say_outcome("msync", msync(at, much, MS_SYNC) == 0);
}

static void fill_memory(size_t mib) {
  size_t words = (mib << 20) / sizeof(size_t);
  void* at = mmap(nullptr, mib << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) fail("mmap");
  auto* word = (volatile size_t*)at;
  for (size_t i = 0; i < words; ++i) word[i] = i * 2654435761u;
  for (size_t i = 0; i < words; ++i)
    if (word[i] != i * 2654435761u) exit(3);
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const char* what = argv[1];
  if (strcmp(what, "mapped") == 0) {
    char* bytes = write_mapping(argv[2]);
    if (msync(bytes, mapped_bytes, MS_SYNC) != 0) fail("msync");
    say("synced\n");
    for (;;) pause();
  }
  if (strcmp(what, "unmapped") == 0 && munmap(write_mapping(argv[2]), mapped_bytes) != 0)
    fail("munmap");
  if (strcmp(what, "append") == 0) append_for_ever(argv[2]);
  if (strcmp(what, "access") == 0 && access(argv[2], W_OK) != 0) fail(argv[2]);
  if (strcmp(what, "numbers") == 0) say_numbers(argv[2]);
  if (strcmp(what, "fill") == 0) fill_host(argv[2]);
  if (strcmp(what, "memory") == 0) fill_memory(strtoul(argv[2], nullptr, 10));
  say("done\n");
  return 0;
}
