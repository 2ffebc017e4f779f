// Conformance, bad user pointers: every call that takes a pointer answers EFAULT for one that
// leads nowhere, and neither kernel nor process comes to harm. Raw system calls: the library must
// not look at the pointer first.
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#include "check.h"

static constexpr long page = 4096;
static long unmapped, forbidden, read_only, last_bytes;

static void make_pages() {
  constexpr int anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
  char* p = (char*)mmap(nullptr, 8 * page, PROT_READ | PROT_WRITE, anonymous, -1, 0);
  REQUIRE(p != MAP_FAILED);
  unmapped = (long)p + 2 * page;
  forbidden = (long)p + 4 * page;
  read_only = (long)p + 6 * page;
  last_bytes = unmapped - 4;  // a structure here begins well and runs into nothing
  memset((void*)last_bytes, 1, 4);
  REQUIRE(munmap((void*)unmapped, page) == 0);
  REQUIRE(mprotect((void*)forbidden, page, PROT_NONE) == 0);
  REQUIRE(mprotect((void*)read_only, page, PROT_READ) == 0);
}

/// Addresses nobody may read; with the read-only page, addresses nobody may write.
static int bad_addresses(long* out, bool for_writing) {
  make_pages();
  int n = 0;
  for (long address :
       {1l, 4095l, unmapped, forbidden, last_bytes, (long)0x7ffffffffff8, (long)0x7fffffffffff,
        (long)0x0000800000000000, (long)0x8000000000000000, (long)0xffff800000000000,
        (long)0xffffffff81000000, (long)0xffffffffff600000, -8l, -1l}) {
    out[n++] = address;
  }
  if (for_writing) out[n++] = read_only;
  return n;
}

/// `call(address)` must fail with EFAULT for every bad address.
template <class Call>
static void all_fault(const char* name, bool for_writing, Call call) {
  long addresses[20];
  int count = bad_addresses(addresses, for_writing);
  for (int i = 0; i < count; ++i) {
    errno = 0;
    long result = call(addresses[i]);
    if (result == -1 && errno == EFAULT) continue;
    ++check::failures;
    check::say("\n  %s with bad address %d: got %ld, errno %d", name, i, result, errno);
  }
}

#define READS(number, ...) \
  all_fault(#number, false, [&]([[maybe_unused]] long bad) { return syscall(number, __VA_ARGS__); })
#define WRITES(number, ...) \
  all_fault(#number, true, [&]([[maybe_unused]] long bad) { return syscall(number, __VA_ARGS__); })

static int file_with_text() {
  int fd = open("/tmp/efault", O_RDWR | O_CREAT | O_TRUNC, 0644);
  REQUIRE(fd >= 0 && write(fd, "0123456789abcdef", 16) == 16);
  return fd;
}

TEST(reading_and_writing_files) {
  int fd = file_with_text();
  // A copy that begins well may be short instead (last_bytes), so those use one byte there.
  WRITES(SYS_pread64, fd, bad == last_bytes ? unmapped : bad, 16, 0);
  READS(SYS_pwrite64, fd, bad == last_bytes ? unmapped : bad, 16, 0);
  iovec vector = {};
  WRITES(SYS_readv,
         (vector.iov_base = (void*)(bad == last_bytes ? 1 : bad), vector.iov_len = 8,
          lseek(fd, 0, SEEK_SET), fd),
         &vector, 1);
  READS(SYS_writev,
        (vector.iov_base = (void*)(bad == last_bytes ? 1 : bad), vector.iov_len = 8, fd), &vector,
        1);
  READS(SYS_readv, fd, bad, 1);
  READS(SYS_writev, fd, bad, 1);
  struct stat facts;
  CHECK_EQ(fstat(fd, &facts), 0);
}

TEST(a_copy_that_begins_well) {
  int fd = file_with_text();
  make_pages();
  // Linux copies what it can. Either answer is right; a crash is not.
  long count = pread(fd, (void*)last_bytes, 16, 0);
  CHECK(count == 4 || (count == -1 && errno == EFAULT));
  if (count == 4) CHECK(memcmp((void*)last_bytes, "0123", 4) == 0);
  count = pwrite(fd, (void*)last_bytes, 16, 0);
  CHECK(count == 4 || (count == -1 && errno == EFAULT));
}

TEST(pipes) {
  int ends[2];
  WRITES(SYS_pipe2, bad, 0);
  WRITES(SYS_pipe, bad);
  REQUIRE(pipe(ends) == 0);
  CHECK_EQ(ends[0], 3);  // the failed ones left no descriptor behind
  READS(SYS_write, ends[1], bad == last_bytes ? 1 : bad, 8);
  REQUIRE(write(ends[1], "0123456789", 10) == 10);
  WRITES(SYS_read, ends[0], bad == last_bytes ? 1 : bad, 8);
  char rest[16];
  CHECK_EQ(read(ends[0], rest, 16), 10);  // and no byte was lost
}

TEST(paths) {
  READS(SYS_open, bad, O_RDONLY, 0);
  READS(SYS_openat, AT_FDCWD, bad, O_RDONLY, 0);
  READS(SYS_chdir, bad);
  READS(SYS_mkdir, bad, 0755);
  READS(SYS_rmdir, bad);
  READS(SYS_unlink, bad);
  READS(SYS_rename, bad, "/tmp/x");
  READS(SYS_rename, "/tmp/efault", bad);
  READS(SYS_link, bad, "/tmp/x");
  READS(SYS_symlink, bad, "/tmp/x");
  READS(SYS_symlink, "target", bad);
  READS(SYS_access, bad, 0);
  READS(SYS_chmod, bad, 0644);
  READS(SYS_truncate, bad, 0);
  READS(SYS_readlink, bad, &unmapped, 8);
  CHECK_EQ(symlink("target", "/tmp/efault-link"), 0);
  WRITES(SYS_readlink, "/tmp/efault-link", bad, 6);
  CHECK_EQ(unlink("/tmp/efault-link"), 0);
}

TEST(attributes_and_listing) {
  struct stat facts;
  READS(SYS_stat, bad, &facts);
  WRITES(SYS_stat, "/tmp", bad);
  WRITES(SYS_lstat, "/tmp", bad);
  WRITES(SYS_fstat, 1, bad);
  WRITES(SYS_newfstatat, AT_FDCWD, "/tmp", bad, 0);
  WRITES(SYS_getcwd, bad == last_bytes ? 1 : bad, 64);
  int fd = open("/", O_RDONLY | O_DIRECTORY);
  WRITES(SYS_getdents64, fd, bad, 1024);
  CHECK(syscall(SYS_getdents64, fd, &facts, 144) > 0);
}

TEST(programs) {
  char* argv[] = {(char*)"x", nullptr};
  READS(SYS_execve, bad, argv, argv);
  READS(SYS_execve, check::self_path, bad, argv);
  READS(SYS_execve, check::self_path, argv, bad);
  char* pointers[2] = {};
  READS(SYS_execve, (pointers[0] = (char*)bad, check::self_path), pointers, argv);
}

TEST(waiting_and_signals) {
  for (long bad : {unmapped | 1, (long)0x8000000000000000}) {
    pid_t child = check::start_child([] { return 0; });
    CHECK_ERRNO(syscall(SYS_wait4, child, bad, 0, 0), EFAULT);
    waitpid(child, nullptr, 0);
  }
  READS(SYS_rt_sigaction, SIGUSR1, bad, 0, 8);
  WRITES(SYS_rt_sigaction, SIGUSR1, 0, bad, 8);
  READS(SYS_rt_sigprocmask, SIG_BLOCK, bad, 0, 8);
  WRITES(SYS_rt_sigprocmask, SIG_BLOCK, 0, bad, 8);
  WRITES(SYS_rt_sigpending, bad, 8);
  READS(SYS_rt_sigsuspend, bad, 8);
  READS(SYS_sigaltstack, bad, 0);
  WRITES(SYS_sigaltstack, 0, bad);
}

TEST(time_calls) {
  WRITES(SYS_clock_gettime, CLOCK_MONOTONIC, bad);
  WRITES(SYS_gettimeofday, bad, 0);
  WRITES(SYS_time, bad);
  READS(SYS_nanosleep, bad, 0);
  READS(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, bad, 0);
  WRITES(SYS_times, bad);
}

TEST(polling) {
  READS(SYS_poll, bad, 1, 0);
  READS(SYS_select, 10, bad, 0, 0, 0);
  struct timespec now = {};
  READS(SYS_ppoll, bad, 1, &now, 0, 8);
}

TEST(files_to_wait_for) {
  int epoll = epoll_create1(0), event = eventfd(1, 0), timer = timerfd_create(CLOCK_MONOTONIC, 0);
  READS(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, event, bad);
  epoll_event wanted = {EPOLLIN, {}};
  REQUIRE(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &wanted) == 0);
  WRITES(SYS_epoll_wait, epoll, bad, 1, -1);
  READS(SYS_epoll_pwait, epoll, &wanted, 1, -1, bad, 8);
  READS(SYS_epoll_pwait2, epoll, &wanted, 1, bad, 0, 8);
  READS(SYS_signalfd4, -1, bad, 8, 0);
  READS(SYS_timerfd_settime, timer, 0, bad, 0);
  WRITES(SYS_timerfd_gettime, timer, bad);
  READS(SYS_write, event, bad, 8);
  READS(SYS_pidfd_send_signal, syscall(SYS_pidfd_open, getpid(), 0), SIGUSR1, bad, 0);
  itimerspec soon = {{}, {0, 1}};
  WRITES(SYS_timerfd_settime, timer, 0, &soon, bad);
}

TEST(futexes) {
  unsigned word = 0;
  // Words are aligned, and there is one at last_bytes.
  auto there = [](long bad) { return (bad == last_bytes ? unmapped : bad) & ~3l; };
  READS(SYS_futex, there(bad), FUTEX_WAIT, 1, 0, 0, 0);
  READS(SYS_futex, there(bad), FUTEX_CMP_REQUEUE, 1, 1, &word, 0);
  WRITES(SYS_futex, &word, FUTEX_WAKE_OP, 1, 1, there(bad), 0);
  READS(SYS_futex, &word, FUTEX_WAIT, 0, bad, 0, 0);
}

TEST(the_rest) {
  WRITES(SYS_uname, bad);
  WRITES(SYS_sysinfo, bad);
  WRITES(SYS_getrusage, 0, bad);
  WRITES(SYS_prlimit64, 0, 7, 0, bad);
  WRITES(SYS_getrandom, bad == last_bytes ? 1 : bad, 8, 0);
}

TEST(lengths_that_wrap_around) {
  int fd = file_with_text();
  char byte = 'x';
  long count = pread(fd, &byte, 1, 0);
  CHECK_EQ(count, 1);
  CHECK_ERRNO(syscall(SYS_read, fd, 0x7fffffffe000, -1), EFAULT);
  CHECK_ERRNO(syscall(SYS_write, fd, -4096, 8192), EFAULT);
  iovec vectors[2] = {{&byte, 1}, {&byte, (size_t)-1}};
  CHECK_ERRNO(writev(fd, vectors, 2), EINVAL);
}
