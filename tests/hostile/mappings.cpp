// Hostile: mapping, unmapping, moving and protecting everything that can be named, and a page that
// ends in a `syscall` instruction just where the monitor's own might be expected. Only in guests:
// natively there is nothing at these addresses, and mapping them is nobody's business.
#include "hostile.h"

using namespace hostile;

static constexpr int anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
static constexpr int readable = PROT_READ | PROT_WRITE;

struct Range {
  const char* name;
  uint64_t begin, bytes;
};
static const Range forbidden[] = {
    {"the first page behind user memory", vmi::user_end, page},
    {"the page before the gate", vmi::gate_base - page, page},
    {"the gate", vmi::gate_base, vmi::gate_size},
    {"the alternate stack", vmi::alt_stack_base, vmi::alt_stack_size},
    {"the page before the window", vmi::window_base - page, page},
    {"the window", vmi::window_base, vmi::window_size},
    {"a page of the window", vmi::resident_base, page},
    {"a slab of the attic", vmi::attic_base, vmi::attic_slab_bytes},
    {"a page of another", vmi::attic_slab(1) + 0x1000, page},
    {"behind a slab", vmi::attic_base + vmi::attic_slab_bytes, page},
    {"guest RAM", vmi::ram_base, 64ul << 20},
    {"the last page", 0x7fffffffe000, page},
    {"user memory's end", vmi::user_end - page, 2 * page},
    {"all from user memory's end", vmi::user_end, 0x7ffffffff000 - vmi::user_end},
};

/// errno of a raw call, 0 for success.
template <class... A>
static int error_of(long number, A... arguments) {
  errno = 0;
  return syscall(number, arguments...) == -1 ? errno : 0;
}

TEST(mapping_over_the_monitor) {
  for (const Range& r : forbidden) {
    CHECK_EQ(error_of(SYS_mmap, r.begin, r.bytes, readable, anonymous | MAP_FIXED, -1, 0), ENOMEM);
    CHECK_EQ(
        error_of(SYS_mmap, r.begin, r.bytes, PROT_NONE, anonymous | MAP_FIXED_NOREPLACE, -1, 0),
        ENOMEM);
    CHECK(sound(true));
  }
}

TEST(hints_beyond_user_memory_are_only_hints) {
  for (const Range& r : forbidden) {
    uint64_t at = (uint64_t)mmap((void*)r.begin, page, readable, anonymous, -1, 0);
    CHECK(at < vmi::user_end);
    CHECK_EQ(munmap((void*)at, page), 0);
  }
}

TEST(unmapping_protecting_advising) {
  for (const Range& r : forbidden) {
    CHECK_EQ(error_of(SYS_munmap, r.begin, r.bytes), EINVAL);
    CHECK_EQ(error_of(SYS_mprotect, r.begin, r.bytes, readable | PROT_EXEC), ENOMEM);
    CHECK(error_of(SYS_madvise, r.begin, r.bytes, MADV_DONTNEED) != 0);
    CHECK(sound(true));
  }
}

TEST(moving_onto_and_away) {
  char* mine = (char*)mmap(nullptr, 4 * page, readable, anonymous, -1, 0);
  for (const Range& r : forbidden) {
    if (r.begin < vmi::user_end) continue;  // its first page is the guest's
    // MREMAP_MAYMOVE | MREMAP_FIXED; a kernel without mremap says so.
    CHECK(error_of(SYS_mremap, mine, page, page, 3, r.begin) != 0);
    CHECK(error_of(SYS_mremap, r.begin, page, 2 * page, 1, 0) != 0);
    CHECK(error_of(SYS_mremap, r.begin, r.bytes, r.bytes, 3, mine + 2 * page) != 0);
    CHECK(sound(true));
  }
  mine[0] = mine[3 * page] = 1;
}

TEST(growing_the_heap_into_it) {
  uint64_t now = syscall(SYS_brk, 0);
  for (const Range& r : forbidden) CHECK_EQ(syscall(SYS_brk, r.begin + r.bytes), now);
  CHECK_EQ(syscall(SYS_brk, -1), now);
  CHECK_EQ(syscall(SYS_brk, vmi::user_end + 1), now);
}

TEST(lengths_that_wrap) {
  uint64_t low = vmi::user_begin;
  for (uint64_t bytes : {~0ul, ~0ul & ~(page - 1), 1ul << 63, vmi::user_end, vmi::gate_base,
                         0ul - vmi::user_begin}) {
    CHECK(error_of(SYS_mmap, low, bytes, readable, anonymous | MAP_FIXED, -1, 0) != 0);
    CHECK(error_of(SYS_munmap, low, bytes) != 0);
    CHECK(error_of(SYS_mprotect, low, bytes, readable) != 0);
  }
  CHECK(error_of(SYS_mmap, 0, page, readable, anonymous | MAP_FIXED, -1, 0) != 0 || true);
  CHECK(sound(true));
}

TEST(unmapping_everything_kills_only_oneself) {
  for (uint64_t bytes : {vmi::user_end - vmi::user_begin, vmi::user_end - 0x200000}) {
    int status = check::in_child([&] {
      syscall(SYS_munmap, vmi::user_begin, bytes);
      return 0;
    });
    CHECK_KILLED(status, SIGSEGV);
  }
  CHECK(WIFSIGNALED(check::in_child([] {
    syscall(SYS_mprotect, vmi::user_begin, vmi::user_end - vmi::user_begin, 0);
    for (uint64_t at = 0x400000; at < 0x600000; at += page) syscall(SYS_mprotect, at, page, 0);
    return 0;
  })));
  CHECK(WIFSIGNALED(check::in_child([] {
    syscall(SYS_mmap, 0x400000, 0x400000, PROT_NONE, anonymous | MAP_FIXED, -1, 0);
    return 0;
  })));
  CHECK(sound(true));
}

/// A page at `at` whose last two bytes are `syscall`, called with `number` in rax.
static int call_at_end_of(uint64_t at, long number) {
  void* mapped = mmap((void*)at, page, readable | PROT_EXEC, anonymous | MAP_FIXED, -1, 0);
  if (mapped != (void*)at) return -1;
  memset(mapped, 0x90, page);
  *(uint16_t*)(at + page - 2) = 0x050f;
  return attempt([&] {
    Registers registers = {};
    registers.rsp = pad_stack();
    registers.rflags = 2;
    registers.rax = number;
    registers.rdi = vmi::window_base;
    registers.rsi = vmi::window_size;
    registers.rdx = 7;
    hostile_jump(&registers, at + page - 2);
  });
}

TEST(a_page_ending_in_syscall_before_the_monitor) {
  // The call returns to user_end, where nothing is: a fault there, after guest semantics.
  for (int number : {SYS_getppid, SYS_mprotect, SYS_munmap, SYS_mmap, 1000}) {
    CHECK_EQ(call_at_end_of(vmi::user_end - page, number), SIGSEGV);
    CHECK_EQ(last.rip, vmi::user_end);
    CHECK_EQ(last.address, vmi::user_end);
  }
  CHECK_EQ(call_at_end_of(vmi::gate_base - page, SYS_mprotect), -1);
  CHECK_EQ(call_at_end_of(vmi::window_base - page, SYS_mprotect), -1);
  CHECK_EQ(call_at_end_of(vmi::alt_stack_base - page, SYS_mprotect), -1);
  CHECK_EQ(attempt([] { (void)*(volatile char*)vmi::window_base; }), SIGSEGV);
  CHECK_EQ(munmap((void*)(vmi::user_end - page), page), 0);
}

TEST(the_monitors_own_calls_from_user_code) {
  // Same number, same arguments, but from here: served by the guest kernel, which refuses.
  CHECK_EQ(error_of(SYS_mprotect, vmi::window_base, vmi::window_size, 7), ENOMEM);
  CHECK_EQ(error_of(SYS_mprotect, vmi::window_base, vmi::window_size, 0), ENOMEM);
  CHECK_EQ(error_of(SYS_munmap, vmi::window_base, vmi::window_size), EINVAL);
  CHECK_EQ(
      error_of(SYS_mmap, vmi::window_base, vmi::window_size, 7, MAP_SHARED | MAP_FIXED, 3, 0) != 0,
      1);
  CHECK_EQ(attempt([] { (void)*(volatile char*)vmi::window_base; }), SIGSEGV);
}

TEST(descriptors_of_the_host_are_not_ours) {
  // The monitor keeps guest memory's descriptor; a guest's numbers are its own.
  for (int fd = 3; fd < 64; ++fd) CHECK_EQ(error_of(SYS_fcntl, fd, F_GETFD, 0), EBADF);
  CHECK_EQ(error_of(SYS_mmap, 0, page, readable, MAP_SHARED, 3, 0), EBADF);
  CHECK_EQ(error_of(SYS_pwrite64, 3, "x", 1, 0), EBADF);
}

TEST(much_fragmentation) {
  // Host mappings are limited; a guest that makes many must get ENOMEM at worst.
  constexpr uint64_t pages = 4000;
  char* area = (char*)mmap(nullptr, pages * page, readable, anonymous, -1, 0);
  REQUIRE(area != MAP_FAILED);
  for (uint64_t i = 0; i < pages; ++i) area[i * page] = 1;
  for (uint64_t i = 0; i < pages; i += 2) {
    int error = error_of(SYS_mprotect, area + i * page, page, PROT_READ);
    if (error != 0) {
      CHECK_EQ(error, ENOMEM);
      break;
    }
  }
  CHECK_EQ(munmap(area, pages * page), 0);
  CHECK(sound(true));
}
