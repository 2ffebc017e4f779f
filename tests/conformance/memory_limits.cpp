// Conformance, limits on memory: RLIMIT_AS, RLIMIT_DATA and RLIMIT_STACK, what each counts, and
// that what is beyond fails without a change.
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "check.h"

namespace {

constexpr size_t mib = 1 << 20;
constexpr int readable = PROT_READ, writable = PROT_READ | PROT_WRITE;
constexpr int private_flags = MAP_PRIVATE | MAP_ANONYMOUS,
              shared_flags = MAP_SHARED | MAP_ANONYMOUS;

int set_limit(int which, rlim_t soft) {
  rlimit limit;
  getrlimit(static_cast<__rlimit_resource>(which), &limit);
  limit.rlim_cur = soft;
  return setrlimit(static_cast<__rlimit_resource>(which), &limit);
}

/// From /proc/self/statm: 0 is all that is mapped, 5 data and stack.
size_t bytes_now(int column) {
  char text[128] = {};
  const int fd = open("/proc/self/statm", O_RDONLY);
  REQUIRE(read(fd, text, sizeof text - 1) > 0);
  close(fd);
  const char* at = text;
  for (int i = 0; i < column; ++i) at = strchr(at, ' ') + 1;
  return strtoul(at, nullptr, 10) * 4096;
}

char* map(size_t bytes, int protection, int flags, int fd = -1) {
  void* at = mmap(nullptr, bytes, protection, flags, fd, 0);
  return at == MAP_FAILED ? nullptr : static_cast<char*>(at);
}
bool fits(size_t bytes, int protection, int flags, int fd = -1) {
  errno = 0;
  char* at = map(bytes, protection, flags, fd);
  if (at) munmap(at, bytes);
  return at ? true : !CHECK_EQ(errno, ENOMEM);
}

/// A file of so many bytes without a name.
int file_of(size_t bytes) {
  char path[] = "/tmp/memory-limits-XXXXXX";
  const int fd = mkstemp(path);
  unlink(path);
  REQUIRE(ftruncate(fd, (off_t)bytes) == 0);
  return fd;
}

/// Touches so much of the stack, downwards.
[[gnu::noinline]] int use_stack(size_t bytes) {
  volatile char* here = static_cast<char*>(__builtin_frame_address(0));
  for (size_t i = 4096; i < bytes; i += 4096) *(here - i) = 1;
  return 0;
}

}  // namespace

/// Run by exec: "stack BYTES" or "map BYTES", which does not fit.
int helper(int, char** argv) {
  const size_t bytes = strtoul(argv[1], nullptr, 10);
  if (strcmp(argv[0], "stack") == 0) return use_stack(bytes);
  return fits(bytes, readable, private_flags) ? 1 : 0;
}

static int run_helper(const char* what, size_t bytes) {
  char number[32];
  snprintf(number, sizeof number, "%zu", bytes);
  execl(check::self_path, check::self_path, "--helper", what, number, nullptr);
  return 77;
}

TEST(address_space) {
  const int fd = file_of(24 * mib);
  char* before = map(4 * mib, readable, private_flags);
  REQUIRE(set_limit(RLIMIT_AS, bytes_now(0) + 16 * mib) == 0);
  for (int protection : {PROT_NONE, readable, writable})
    for (int flags : {private_flags, shared_flags, private_flags | MAP_NORESERVE}) {
      CHECK(fits(8 * mib, protection, flags));
      CHECK(!fits(17 * mib, protection, flags));
    }
  CHECK(fits(8 * mib, readable, MAP_SHARED, fd));
  CHECK(!fits(17 * mib, readable, MAP_SHARED, fd));
  char* half = map(10 * mib, writable, private_flags);
  CHECK(half != nullptr);
  CHECK(!fits(7 * mib, readable, private_flags));
  // In place of what is there is no more.
  CHECK(mmap(half, 10 * mib, readable, private_flags | MAP_FIXED, -1, 0) == half);
  CHECK(mmap(before, 4 * mib, writable, private_flags | MAP_FIXED, -1, 0) == before);
  CHECK_EQ(mprotect(before, 4 * mib, PROT_NONE), 0);
  CHECK(mremap(half, 10 * mib, 17 * mib, MREMAP_MAYMOVE) == MAP_FAILED);
  CHECK_EQ(errno, ENOMEM);
  half = static_cast<char*>(mremap(half, 10 * mib, 12 * mib, MREMAP_MAYMOVE));
  CHECK(half != MAP_FAILED);
  char* brk_now = static_cast<char*>(sbrk(0));
  CHECK_ERRNO(brk(brk_now + 5 * mib), ENOMEM);
  CHECK(sbrk(0) == brk_now);
  CHECK_EQ(brk(brk_now + 3 * mib), 0);
  munmap(half, 12 * mib);
  CHECK_EQ(brk(brk_now + 5 * mib), 0);
  REQUIRE(set_limit(RLIMIT_AS, RLIM_INFINITY) == 0);
  CHECK(fits(17 * mib, readable, private_flags));
}

TEST(a_limit_below_what_there_is) {
  char* there = map(8 * mib, writable, private_flags);
  REQUIRE(set_limit(RLIMIT_AS, 4096) == 0);
  CHECK(!fits(4096, readable, private_flags));
  there[5 * mib] = 1;  // what was mapped stays
  CHECK_EQ(mprotect(there, mib, readable), 0);
  CHECK_EQ(mprotect(there, mib, writable), 0);
  CHECK_EQ(munmap(there + 4 * mib, 4 * mib), 0);
  CHECK(!fits(4096, readable, private_flags));
  const pid_t child = fork();  // which fork does not ask about
  if (child == 0) _exit(fits(4096, readable, private_flags) ? 1 : 0);
  int status = -1;
  waitpid(child, &status, 0);
  CHECK_EXITED(status, 0);
}

TEST(data) {
  const int fd = file_of(24 * mib);
  REQUIRE(set_limit(RLIMIT_DATA, bytes_now(5) + 16 * mib) == 0);
  for (int flags : {private_flags, private_flags | MAP_NORESERVE}) {
    CHECK(fits(8 * mib, writable, flags));
    CHECK(fits(8 * mib, PROT_WRITE, flags));
    CHECK(!fits(17 * mib, writable, flags));
    CHECK(fits(17 * mib, readable, flags));
    CHECK(fits(17 * mib, PROT_NONE, flags));
  }
  CHECK(fits(17 * mib, writable, shared_flags));
  CHECK(fits(8 * mib, writable, MAP_PRIVATE, fd));
  CHECK(!fits(17 * mib, writable, MAP_PRIVATE, fd));
  CHECK(fits(17 * mib, readable, MAP_PRIVATE, fd));

  char* wide = map(20 * mib, readable, private_flags);
  CHECK_ERRNO(mprotect(wide, 20 * mib, writable), ENOMEM);
  CHECK_EQ(mprotect(wide, 8 * mib, writable), 0);
  CHECK_EQ(mprotect(wide, 8 * mib, writable | PROT_EXEC), 0);
  CHECK_ERRNO(mprotect(wide + 8 * mib, 12 * mib, PROT_WRITE), ENOMEM);
  CHECK(!fits(12 * mib, writable, private_flags));
  CHECK_EQ(mprotect(wide, 8 * mib, readable), 0);
  CHECK(fits(12 * mib, writable, private_flags));

  char* brk_now = static_cast<char*>(sbrk(0));
  CHECK_ERRNO(brk(brk_now + 17 * mib), ENOMEM);
  CHECK_EQ(brk(brk_now + 10 * mib), 0);
  CHECK(!fits(8 * mib, writable, private_flags));
  CHECK_ERRNO(mprotect(wide, 8 * mib, writable), ENOMEM);
  char* own = map(2 * mib, writable, private_flags);
  CHECK(mremap(own, 2 * mib, 10 * mib, MREMAP_MAYMOVE) == MAP_FAILED);
  CHECK_EQ(errno, ENOMEM);
  REQUIRE(set_limit(RLIMIT_DATA, mib) == 0);
  CHECK(!fits(4096, writable, private_flags));
  CHECK_EQ(munmap(own, 2 * mib), 0);
}

TEST(other_shares_of_a_mapping_count_apart) {
  const int fd = file_of(24 * mib);
  char* shared = map(20 * mib, readable, MAP_SHARED, fd);
  REQUIRE(set_limit(RLIMIT_DATA, bytes_now(5) + 4 * mib) == 0);
  CHECK_EQ(mprotect(shared, 20 * mib, writable), 0);
  shared[19 * mib] = 1;
}

// -- The stack.

static void stack_case(const char* name, rlim_t limit, size_t bytes, bool by_exec, bool good) {
  const int status = check::in_child([=] {
    if (limit && set_limit(RLIMIT_STACK, limit) != 0) return 71;
    return by_exec ? run_helper("stack", bytes) : use_stack(bytes);
  });
  const bool as_wanted = good ? CHECK_EXITED(status, 0) : CHECK_KILLED(status, SIGSEGV);
  if (!as_wanted) check::say("  %s%s\n", name, by_exec ? ", by exec" : "");
}

TEST(stack) {
  REQUIRE(set_limit(RLIMIT_STACK, 8 * mib) == 0);
  for (bool by_exec : {false, true}) {
    stack_case("as it is", 0, 7 * mib, by_exec, true);
    stack_case("as it is, too much", 0, 9 * mib, by_exec, false);
    stack_case("raised", 64 * mib, 20 * mib, by_exec, true);
    stack_case("lowered", mib, mib * 3 / 4, by_exec, true);
    stack_case("lowered, too much", mib, 3 * mib, by_exec, false);
  }
  rlimit limit;
  getrlimit(RLIMIT_STACK, &limit);
  if (limit.rlim_max == RLIM_INFINITY) {
    stack_case("unlimited", RLIM_INFINITY, 20 * mib, true, true);
    stack_case("unlimited", RLIM_INFINITY, 20 * mib, false, true);
  }
}

TEST(the_stack_is_part_of_the_address_space_but_no_data) {
  CHECK_KILLED(check::in_child([] {
                 set_limit(RLIMIT_AS, bytes_now(0) + mib);
                 return use_stack(4 * mib);
               }),
               SIGSEGV);
  CHECK_EXITED(check::in_child([] {
                 set_limit(RLIMIT_DATA, bytes_now(5));
                 return use_stack(4 * mib);
               }),
               0);
}

TEST(a_stack_grows_for_the_kernel_too) {
  CHECK_EXITED(check::in_child([] {
                 set_limit(RLIMIT_STACK, 2 * mib);
                 const int fd = open("/dev/zero", O_RDONLY);
                 char* here = static_cast<char*>(__builtin_frame_address(0));
                 CHECK_EQ(syscall(SYS_read, fd, here - mib, 16), 16);
                 CHECK_ERRNO(syscall(SYS_read, fd, here - 3 * mib, 16), EFAULT);
                 return 0;
               }),
               0);
}

// -- Whose they are.

TEST(exec_keeps_them) {
  CHECK_EXITED(check::in_child([] {
                 set_limit(RLIMIT_AS, bytes_now(0) + 16 * mib);
                 return run_helper("map", 24 * mib);
               }),
               0);
}

TEST(a_vfork_child_has_its_own) {
  const pid_t child = vfork();
  if (child == 0) {
    rlimit low = {4096, RLIM_INFINITY};
    syscall(SYS_setrlimit, RLIMIT_AS, &low);
    syscall(SYS_setrlimit, RLIMIT_DATA, &low);
    const long got = syscall(SYS_mmap, 0, 4096, writable, private_flags, -1, 0);
    _exit(got == -1 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK_EXITED(status, 0);
  CHECK(fits(8 * mib, writable, private_flags));
}

TEST(others_may_set_them) {
  int ends[2], back[2];
  char byte = 0;
  REQUIRE(pipe(ends) == 0 && pipe(back) == 0);
  const pid_t child = check::start_child([&] {
    CHECK(fits(8 * mib, writable, private_flags));
    if (write(back[1], "x", 1) != 1 || read(ends[0], &byte, 1) != 1) return 1;
    return fits(8 * mib, writable, private_flags) ? 2 : 0;
  });
  CHECK_EQ(read(back[0], &byte, 1), 1);
  rlimit low = {4096, RLIM_INFINITY};
  CHECK_EQ(prlimit(child, RLIMIT_DATA, &low, nullptr), 0);
  CHECK_EQ(write(ends[1], "x", 1), 1);
  int status = -1;
  waitpid(child, &status, 0);
  CHECK_EXITED(status, 0);
}
