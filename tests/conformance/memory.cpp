// Conformance, memory: demand paging, brk, mmap, munmap, mprotect and their faults, mapped files.
// Copy on write has a file of its own.
#include <fcntl.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "check.h"

static constexpr size_t page = 4096;
static sigjmp_buf landing;
static volatile int fault_signal, fault_code;
static volatile uintptr_t fault_address;

static void on_fault(int number, siginfo_t* info, void*) {
  fault_signal = number;
  fault_code = info->si_code;
  fault_address = (uintptr_t)info->si_addr;
  siglongjmp(landing, 1);
}

static void catch_faults() {
  struct sigaction action = {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaction(SIGSEGV, &action, nullptr);
  sigaction(SIGBUS, &action, nullptr);
}

/// Runs `access`; true when it faulted, with the fault's facts in the variables above.
template <class Access>
static bool faults(Access access) {
  fault_signal = fault_code = 0;
  fault_address = 0;
  if (sigsetjmp(landing, 0)) return true;
  access();
  return false;
}

static bool read_faults(volatile char* p) {
  return faults([p] { (void)*p; });
}
static bool write_faults(volatile char* p) {
  return faults([p] { *p = 1; });
}

static char* map(size_t bytes, int protection = PROT_READ | PROT_WRITE, int flags = 0) {
  void* p = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  REQUIRE(p != MAP_FAILED);
  return (char*)p;
}

#define CHECK_FAULT(expression, signal, code, address) \
  do {                                                 \
    CHECK(expression);                                 \
    CHECK_EQ(fault_signal, signal);                    \
    CHECK_EQ(fault_code, code);                        \
    CHECK_EQ(fault_address, (uintptr_t)(address));     \
  } while (0)

TEST(anonymous_memory_is_zero_and_keeps_what_is_written) {
  char* p = map(64 * page);
  long sum = 0;
  for (size_t i = 0; i < 64 * page; ++i) sum += p[i];
  CHECK_EQ(sum, 0);
  for (size_t i = 0; i < 64; ++i) memset(p + i * page, (int)i + 1, page);
  for (size_t i = 0; i < 64; ++i) {
    CHECK_EQ(p[i * page], i + 1);
    CHECK_EQ(p[i * page + page - 1], i + 1);
  }
  CHECK_EQ(munmap(p, 64 * page), 0);
}

TEST(pages_touched_backwards_and_by_reads_first) {
  char* p = map(64 * page);
  for (int i = 63; i >= 0; --i) CHECK_EQ(p[i * page], 0);
  for (int i = 63; i >= 0; --i) p[i * page + 8] = (char)i;
  for (int i = 0; i < 64; ++i) CHECK_EQ(p[i * page + 8], i);
}

TEST(a_large_sparse_mapping_costs_only_what_is_touched) {
  constexpr size_t bytes = 1ul << 30, step = 64ul << 20;
  char* p = map(bytes, PROT_READ | PROT_WRITE, MAP_NORESERVE);
  for (size_t at = 0; at < bytes; at += step) p[at + 5] = (char)(at / step + 1);
  for (size_t at = 0; at < bytes; at += step) CHECK_EQ(p[at + 5], at / step + 1);
  CHECK_EQ(munmap(p, bytes), 0);
}

TEST(freed_memory_is_used_again_and_comes_back_zero) {
  for (int round = 0; round < 12; ++round) {  // 12 times 16 MiB: more than a small guest has
    char* p = map(16 << 20);
    for (size_t i = 0; i < 16 << 20; i += page) {
      if (p[i + 17] != 0) {
        CHECK_EQ(p[i + 17], 0);
        break;
      }
      p[i + 17] = 1;
    }
    REQUIRE(munmap(p, 16 << 20) == 0);
  }
}

TEST(brk_grows_and_shrinks) {
  char* start = (char*)sbrk(0);
  CHECK((char*)sbrk(10 * page) == start);
  memset(start, 7, 10 * page);
  CHECK(sbrk(0) == start + 10 * page);
  CHECK(brk(start + 2 * page) == 0);
  catch_faults();
  uintptr_t top = ((uintptr_t)start + 2 * page + page - 1) & ~(page - 1);
  CHECK_EQ(start[2 * page - 1], 7);
  CHECK_FAULT(read_faults((char*)top), SIGSEGV, SEGV_MAPERR, top);
  CHECK(brk(start + 6 * page) == 0);
  CHECK_EQ(*(char*)top, 0);  // fresh again
  CHECK_EQ(start[page], 7);
  CHECK_EQ(syscall(SYS_brk, 0), (long)(start + 6 * page));
  CHECK_EQ(syscall(SYS_brk, 1), (long)(start + 6 * page));  // refused: unchanged
  CHECK_EQ(syscall(SYS_brk, 0x7fffffffffff), (long)(start + 6 * page));
}

/// Two pages in one range of more pages than 32 bits count, which would be cut to four: what is
/// done to the range is done to the second as well.
template <class Call>
static void over_a_wide_range(Call call) {
  constexpr size_t bytes = (page << 32) + 4 * page;
  char* first = (char*)0x100000000000;
  for (char* p : {first, first + bytes - page}) {
    REQUIRE(mmap(p, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
            p);
    *p = 1;
  }
  call(first, bytes);
  CHECK_EQ(munmap(first, bytes), 0);
  CHECK_FAULT(read_faults(first + bytes - page), SIGSEGV, SEGV_MAPERR, first + bytes - page);
}
static char* map_wide(char* at, size_t bytes, int protection) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
  void* p = mmap(at, bytes, protection, flags, -1, 0);
  REQUIRE(p == at);
  return at;
}

TEST(more_pages_than_32_bits_count) {
  catch_faults();
  over_a_wide_range([](char*, size_t) {});
  over_a_wide_range([](char* p, size_t bytes) {
    CHECK_ERRNO(madvise(p, bytes, MADV_DONTNEED), ENOMEM);  // with a hole, but what is there goes
    CHECK_EQ(p[bytes - page], 0);
  });
  over_a_wide_range([](char* p, size_t bytes) {
    map_wide(p, bytes, PROT_NONE);
    CHECK_FAULT(read_faults(p + bytes - page), SIGSEGV, SEGV_ACCERR, p + bytes - page);
  });
  over_a_wide_range([](char* p, size_t bytes) {
    map_wide(p, bytes, PROT_READ | PROT_WRITE);
    p[bytes - page] = 2;
    CHECK_EQ(mprotect(p, bytes, PROT_READ), 0);
    CHECK(write_faults(p + bytes - page));
    CHECK(mremap(p, bytes, page, 0) == p);
    CHECK_FAULT(read_faults(p + bytes - page), SIGSEGV, SEGV_MAPERR, p + bytes - page);
  });
  over_a_wide_range([](char* p, size_t bytes) {
    char* to = p + bytes;
    map_wide(p, bytes, PROT_READ | PROT_WRITE);
    p[bytes - page] = 2;
    REQUIRE(mremap(p, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
    CHECK_EQ(to[bytes - page], 2);
    CHECK_FAULT(read_faults(p + bytes - page), SIGSEGV, SEGV_MAPERR, p + bytes - page);
    CHECK_EQ(munmap(to, bytes), 0);
  });
}

TEST(unmapping_the_middle_splits) {
  catch_faults();
  char* p = map(5 * page);
  memset(p, 3, 5 * page);
  CHECK_EQ(munmap(p + 2 * page, page), 0);
  CHECK_EQ(p[2 * page - 1], 3);
  CHECK_EQ(p[3 * page], 3);
  CHECK_FAULT(read_faults(p + 2 * page), SIGSEGV, SEGV_MAPERR, p + 2 * page);
  CHECK_FAULT(write_faults(p + 3 * page - 1), SIGSEGV, SEGV_MAPERR, p + 3 * page - 1);
  CHECK_EQ(munmap(p, 5 * page), 0);  // over the hole too
  CHECK(read_faults(p) && read_faults(p + 4 * page));
  CHECK_EQ(munmap(p, 5 * page), 0);  // nothing there: still a success
}

TEST(protecting_the_middle_splits) {
  catch_faults();
  char* p = map(5 * page);
  memset(p, 4, 5 * page);
  CHECK_EQ(mprotect(p + page, 2 * page, PROT_READ), 0);
  CHECK_EQ(p[page], 4);
  CHECK_FAULT(write_faults(p + page + 9), SIGSEGV, SEGV_ACCERR, p + page + 9);
  CHECK(write_faults(p + 2 * page));
  p[0] = p[3 * page] = 5;
  CHECK_EQ(mprotect(p, 5 * page, PROT_NONE), 0);
  CHECK_FAULT(read_faults(p + 4 * page), SIGSEGV, SEGV_ACCERR, p + 4 * page);
  CHECK_EQ(mprotect(p, 5 * page, PROT_READ | PROT_WRITE), 0);
  CHECK_EQ(p[page], 4);
  CHECK_EQ(p[3 * page], 5);
  p[page] = 6;
  CHECK_EQ(p[page], 6);
}

TEST(protection_before_the_first_touch) {
  catch_faults();
  char* p = map(4 * page, PROT_NONE);
  CHECK_FAULT(read_faults(p), SIGSEGV, SEGV_ACCERR, p);
  CHECK_FAULT(write_faults(p + page), SIGSEGV, SEGV_ACCERR, p + page);
  CHECK_EQ(mprotect(p, 2 * page, PROT_READ), 0);
  CHECK_EQ(p[0], 0);
  CHECK(write_faults(p));
  CHECK_EQ(mprotect(p, page, PROT_READ | PROT_WRITE), 0);
  p[0] = 1;
  CHECK(write_faults(p + page));
  CHECK(read_faults(p + 2 * page));
}

TEST(a_page_flipped_a_thousand_times) {
  catch_faults();
  char* p = map(3 * page);
  for (int i = 0; i < 1000; ++i) {
    p[page] = (char)i;
    REQUIRE(mprotect(p + page, page, PROT_READ) == 0);
    if (i % 100 == 0) CHECK(write_faults(p + page));
    REQUIRE(p[page] == (char)i);
    REQUIRE(mprotect(p + page, page, PROT_READ | PROT_WRITE) == 0);
  }
}

TEST(many_fragments) {
  char* p = map(600 * page);
  memset(p, 9, 600 * page);
  for (int i = 0; i < 600; i += 2) REQUIRE(mprotect(p + i * page, page, PROT_READ) == 0);
  for (int i = 1; i < 600; i += 4) REQUIRE(munmap(p + i * page, page) == 0);
  for (int i = 0; i < 600; ++i) {
    if (i % 4 != 1) REQUIRE(p[i * page + 1] == 9);
  }
  for (int i = 3; i < 600; i += 4) p[i * page] = 1;
  CHECK_EQ(munmap(p, 600 * page), 0);
}

TEST(fixed_mappings_replace) {
  catch_faults();
  char* p = map(4 * page);
  memset(p, 8, 4 * page);
  void* q = mmap(p + page, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  CHECK(q == p + page);
  CHECK_EQ(p[page], 0);
  CHECK_EQ(p[2 * page], 8);
  CHECK(write_faults(p + page));
  CHECK_ERRNO(
      mmap(p + page, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
      EEXIST);
  CHECK_EQ(munmap(p + page, page), 0);
  CHECK(mmap(p + page, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
        p + page);
}

TEST(a_hint_is_taken_when_it_is_free) {
  char* p = map(8 * page);
  CHECK_EQ(munmap(p + 2 * page, 4 * page), 0);
  CHECK(mmap(p + 3 * page, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == p + 3 * page);
  void* q = mmap(p, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(q != MAP_FAILED && q != p);
}

TEST(arguments_that_make_no_sense) {
  char* p = map(4 * page);
  constexpr int anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
  CHECK_ERRNO(mmap(nullptr, 0, PROT_READ, anonymous, -1, 0), EINVAL);
  CHECK_ERRNO(mmap(nullptr, page, PROT_READ, MAP_ANONYMOUS, -1, 0), EINVAL);
  CHECK_ERRNO(mmap(p + 1, page, PROT_READ, anonymous | MAP_FIXED, -1, 0), EINVAL);
  CHECK_ERRNO(mmap(nullptr, 1ul << 47, PROT_READ, anonymous, -1, 0), ENOMEM);
  CHECK_ERRNO(mmap(nullptr, ~0ul, PROT_READ, anonymous, -1, 0), ENOMEM);
  CHECK_ERRNO(mmap(nullptr, page, PROT_READ, MAP_PRIVATE, 99, 0), EBADF);
  CHECK_ERRNO(syscall(SYS_mmap, 0, page, PROT_READ, MAP_PRIVATE, 0, 1), EINVAL);
  CHECK_ERRNO(munmap(p + 1, page), EINVAL);
  CHECK_ERRNO(munmap(p, 0), EINVAL);
  CHECK_ERRNO(mprotect(p + 1, page, PROT_READ), EINVAL);
  CHECK_EQ(mprotect(p, 0, PROT_READ), 0);
  CHECK_EQ(munmap(p + page, page), 0);
  CHECK_ERRNO(mprotect(p, 4 * page, PROT_READ), ENOMEM);
}

TEST(dontneed_gives_zeros) {
  char* p = map(8 * page);
  memset(p, 1, 8 * page);
  CHECK_EQ(madvise(p + 2 * page, 3 * page, MADV_DONTNEED), 0);
  CHECK_EQ(p[2 * page - 1], 1);
  CHECK_EQ(p[2 * page], 0);
  CHECK_EQ(p[5 * page - 1], 0);
  CHECK_EQ(p[5 * page], 1);
  p[3 * page] = 4;
  CHECK_EQ(p[3 * page], 4);
}

TEST(the_null_page_faults) {
  catch_faults();
  CHECK_FAULT(read_faults((char*)0), SIGSEGV, SEGV_MAPERR, 0);
  CHECK_FAULT(write_faults((char*)0x10), SIGSEGV, SEGV_MAPERR, 0x10);
  CHECK_KILLED(check::in_child([] {
                 signal(SIGSEGV, SIG_DFL);
                 *(volatile int*)8 = 1;
                 return 0;
               }),
               SIGSEGV);
}

TEST(the_stack_grows) {
  volatile char deep[3 << 20];
  for (long i = sizeof deep - 1; i >= 0; i -= page) deep[i] = (char)i;
  CHECK_EQ(deep[sizeof deep - 1], (char)(sizeof deep - 1));
}

TEST(code_needs_permission_to_run) {
  catch_faults();
  char* p = map(page);
  memcpy(p, "\xb8\x2a\x00\x00\x00\xc3", 6);  // mov $42,%eax; ret
  auto call = (int (*)())p;
  CHECK_FAULT(faults([&] { call(); }), SIGSEGV, SEGV_ACCERR, p);
  CHECK_EQ(mprotect(p, page, PROT_READ | PROT_EXEC), 0);
  CHECK_EQ(call(), 42);
  CHECK(write_faults(p));
  CHECK_EQ(mprotect(p, page, PROT_READ | PROT_WRITE | PROT_EXEC), 0);
  p[1] = 43;
  CHECK_EQ(call(), 43);
}

TEST(text_is_read_only) {
  catch_faults();
  CHECK_FAULT(write_faults((char*)&on_fault), SIGSEGV, SEGV_ACCERR, &on_fault);
}
