// Conformance, copy on write: what each side of a fork sees after either has written, over several
// generations, in data, heap, stack and mappings, through system calls and through vfork.
#include <sys/mman.h>
#include <sys/uio.h>

#include "check.h"

static constexpr size_t page = 4096;
static volatile int in_data = 1;
static volatile int in_bss;

static char* map(size_t bytes) {
  void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(p != MAP_FAILED);
  return (char*)p;
}

/// Counts pages whose first byte is not `value`.
static int wrong(const char* p, int pages, int value) {
  int count = 0;
  for (int i = 0; i < pages; ++i) count += p[i * page] != (char)value;
  return count;
}

TEST(neither_side_sees_the_other_write) {
  char* p = map(64 * page);
  memset(p, 1, 64 * page);
  volatile int on_stack = 1;
  int* on_heap = (int*)malloc(sizeof(int));
  *on_heap = 1;
  int go[2], done[2];
  REQUIRE(pipe(go) == 0 && pipe(done) == 0);
  pid_t child = check::start_child([&] {
    char byte;
    memset(p, 2, 32 * page);
    in_data = in_bss = on_stack = *on_heap = 2;
    CHECK_EQ(write(done[1], "", 1), 1);
    CHECK_EQ(read(go[0], &byte, 1), 1);
    CHECK_EQ(wrong(p, 32, 2), 0);
    CHECK_EQ(wrong(p + 32 * page, 32, 1), 0);  // the parent has written 3 there
    CHECK_EQ(in_data + in_bss + on_stack + *on_heap, 8);
    return 0;
  });
  char byte;
  CHECK_EQ(read(done[0], &byte, 1), 1);
  CHECK_EQ(wrong(p, 64, 1), 0);
  CHECK_EQ(in_data + in_bss + on_stack + *on_heap, 3);
  memset(p + 32 * page, 3, 32 * page);
  in_data = on_stack = 3;
  CHECK_EQ(write(go[1], "", 1), 1);
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EXITED(status, 0);
  CHECK_EQ(wrong(p, 32, 1), 0);
  CHECK_EQ(wrong(p + 32 * page, 32, 3), 0);
}

TEST(four_generations_at_once) {
  char* p = map(32 * page);
  memset(p, 10, 32 * page);
  CHECK_EXITED(check::in_child([&] {
                 memset(p, 11, 16 * page);
                 int status = check::in_child([&] {
                   memset(p + 8 * page, 12, 16 * page);
                   int status = check::in_child([&] {
                     p[0] = p[31 * page] = 13;
                     CHECK_EQ(wrong(p + page, 7, 11), 0);
                     CHECK_EQ(wrong(p + 8 * page, 16, 12), 0);
                     CHECK_EQ(wrong(p + 24 * page, 7, 10), 0);
                     return 0;
                   });
                   CHECK_EXITED(status, 0);
                   CHECK_EQ(wrong(p, 8, 11), 0);
                   CHECK_EQ(wrong(p + 24 * page, 8, 10), 0);
                   return 0;
                 });
                 CHECK_EXITED(status, 0);
                 CHECK_EQ(wrong(p, 16, 11), 0);
                 CHECK_EQ(wrong(p + 16 * page, 16, 10), 0);
                 return 0;
               }),
               0);
  CHECK_EQ(wrong(p, 32, 10), 0);
}

TEST(many_children_of_one_page_each) {
  char* p = map(16 * page);
  memset(p, 5, 16 * page);
  pid_t children[16];
  for (int i = 0; i < 16; ++i) {
    children[i] = check::start_child([&] {
      p[i * page] = 6;
      int sixes = 0;
      for (int k = 0; k < 16; ++k) sixes += p[k * page] == 6;
      return sixes;
    });
  }
  for (pid_t child : children) {
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EXITED(status, 1);
  }
  CHECK_EQ(wrong(p, 16, 5), 0);
}

TEST(scattered_writes_over_many_rounds) {
  constexpr int pages = 128;
  char* p = map(pages * page);
  for (int i = 0; i < pages; ++i) p[i * page] = 0;
  for (int round = 0; round < 20; ++round) {
    for (int i = round; i < pages; i += 20) p[i * page] = (char)(round + 1);
    int status = check::in_child([&] {
      for (int i = 0; i < pages; i += 3) p[i * page] = 99;
      return 0;
    });
    CHECK_EXITED(status, 0);
  }
  for (int i = 0; i < pages; ++i) CHECK_EQ(p[i * page], i % 20 + 1);
}

TEST(pages_first_touched_after_the_fork) {
  char* p = map(8 * page);
  CHECK_EXITED(check::in_child([&] {
                 CHECK_EQ(wrong(p, 8, 0), 0);
                 memset(p, 1, 4 * page);
                 return 0;
               }),
               0);
  CHECK_EQ(wrong(p, 8, 0), 0);
  p[0] = 2;
  CHECK_EXITED(check::in_child([&] { return p[0]; }), 2);
}

TEST(system_calls_break_sharing_too) {
  char* p = map(4 * page);
  memset(p, 1, 4 * page);
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  CHECK_EXITED(check::in_child([&] {
                 char twos[64];
                 memset(twos, 2, sizeof twos);
                 CHECK_EQ(write(ends[1], twos, 64), 64);
                 // The kernel writes into pages shared with the parent, over a page boundary.
                 CHECK_EQ(read(ends[0], p + page - 32, 64), 64);
                 CHECK_EQ(p[page - 33], 1);
                 CHECK_EQ(p[page - 32], 2);
                 CHECK_EQ(p[page + 31], 2);
                 CHECK_EQ(p[page + 32], 1);
                 return 0;
               }),
               0);
  CHECK_EQ(p[page - 32], 1);
  CHECK_EQ(p[page + 31], 1);
}

TEST(protection_and_sharing_together) {
  char* p = map(4 * page);
  memset(p, 1, 4 * page);
  CHECK_EQ(mprotect(p, 2 * page, PROT_READ), 0);
  CHECK_EXITED(check::in_child([&] {
                 CHECK_EQ(mprotect(p, 2 * page, PROT_READ | PROT_WRITE), 0);
                 p[0] = 2;
                 return 0;
               }),
               0);
  CHECK_EQ(p[0], 1);
  CHECK_KILLED(check::in_child([&] {
                 p[page] = 2;  // still read-only in a fresh child
                 return 0;
               }),
               SIGSEGV);
  CHECK_EQ(mprotect(p, 2 * page, PROT_READ | PROT_WRITE), 0);
  p[0] = 3;
  CHECK_EXITED(check::in_child([&] { return p[0]; }), 3);
}

TEST(unmapping_on_one_side) {
  char* p = map(4 * page);
  memset(p, 7, 4 * page);
  CHECK_EXITED(check::in_child([&] { return munmap(p, 4 * page); }), 0);
  CHECK_EQ(wrong(p, 4, 7), 0);
  CHECK_EXITED(check::in_child([&] {
                 void* q = mmap(p, 4 * page, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
                 CHECK(q == p);
                 CHECK_EQ(wrong(p, 4, 0), 0);
                 return 0;
               }),
               0);
  CHECK_EQ(wrong(p, 4, 7), 0);
  pid_t child = check::start_child([&] {
    usleep(20000);
    return wrong(p, 4, 7);
  });
  CHECK_EQ(munmap(p, 4 * page), 0);
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EXITED(status, 0);
}

TEST(memory_of_dead_children_comes_back) {
  for (int i = 0; i < 15; ++i) {  // 15 times 8 MiB
    CHECK_EXITED(check::in_child([] {
                   memset(map(8 << 20), 1, 8 << 20);
                   return 0;
                 }),
                 0);
  }
}
