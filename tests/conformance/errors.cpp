// Conformance, system calls that nobody serves: ENOSYS, and nothing else happens. Only numbers
// that Linux itself does not know on x86-64, so that the native run is an oracle.
#include <fcntl.h>
#include <sys/syscall.h>

#include "check.h"

TEST(unknown_numbers) {
  for (long number : {500l, 511l, 512l, 547l, 600l, 1000l, 1023l, 4095l, 65536l, 1l << 20}) {
    CHECK_ERRNO(syscall(number, 1, 2, 3, 4, 5, 6), ENOSYS);
  }
}

TEST(numbers_between_the_assigned_ones) {
  for (long number = 340; number < 420; number += 9) CHECK_ERRNO(syscall(number, 0), ENOSYS);
}

TEST(negative_and_huge_numbers) {
  CHECK_ERRNO(syscall(-1), ENOSYS);
  CHECK_ERRNO(syscall(-2), ENOSYS);
  CHECK_ERRNO(syscall(0x7fffffff), ENOSYS);
  CHECK_ERRNO(syscall(0x80000000), ENOSYS);
}

TEST(calls_removed_from_linux) {
  for (long number : {156 /* _sysctl */, 174 /* create_module */, 181 /* getpmsg */,
                      183 /* afs_syscall */, 185 /* security */, 214 /* epoll_ctl_old */}) {
    CHECK_ERRNO(syscall(number, 0, 0, 0), ENOSYS);
  }
}

TEST(registers_survive_an_unknown_call) {
  uint64_t rdi = 1, rsi = 2, rdx = 3, rax = 1000;
  register uint64_t r10 asm("r10") = 4;
  register uint64_t r8 asm("r8") = 5;
  register uint64_t r9 asm("r9") = 6;
  asm volatile("syscall"
               : "+D"(rdi), "+S"(rsi), "+d"(rdx), "+a"(rax), "+r"(r10), "+r"(r8), "+r"(r9)
               :
               : "rcx", "r11", "memory");
  CHECK_EQ(rax, -ENOSYS);
  CHECK(rdi == 1 && rsi == 2 && rdx == 3 && r10 == 4 && r8 == 5 && r9 == 6);
}

TEST(an_offset_is_judged_before_the_way_a_file_is_open) {
  int ends[2];
  char byte = 0;
  CHECK_EQ(pipe(ends), 0);
  CHECK_ERRNO(pread(ends[1], &byte, 1, 0), ESPIPE);
  CHECK_ERRNO(pwrite(ends[0], &byte, 1, 0), ESPIPE);
  CHECK_ERRNO(pread(ends[0], &byte, 1, -1), EINVAL);
  CHECK_ERRNO(pread(999, &byte, 1, -1), EINVAL);
  CHECK_ERRNO(pwrite(999, &byte, 1, -1), EINVAL);
  CHECK_ERRNO(pread(999, &byte, 1, 0), EBADF);
  const int fd = open("/dev/null", O_WRONLY);
  CHECK_ERRNO(pread(fd, &byte, 1, 0), EBADF);
  close(fd);
}
