// Hostile: reading, writing and naming to system calls what belongs to the monitor: window, guest
// RAM's direct map, gate, alternate stack, and everything from the end of user memory on.
#include <sys/uio.h>

#include "hostile.h"

using namespace hostile;

static long leaks(uint64_t begin, uint64_t end, uint64_t step) {
  long count = 0;
  for (uint64_t at = begin; at < end; at += step) {
    if (read_faults(at) && write_faults(at + 8)) continue;
    if (count++ < 5) check::say(" [%#lx is within reach]", at);
  }
  return count;
}

TEST(no_page_of_the_window) {
  CHECK_EQ(leaks(vmi::window_base, vmi::window_end, stride(page)), 0);
  CHECK_EQ(last.address, (last.address & ~(page - 1)) + 8);
}

TEST(no_page_of_the_attic) {
  for (uint32_t slab = 0; slab < vmi::attic_slabs_max; ++slab) {
    const uint64_t begin = vmi::attic_slab(slab);
    CHECK_EQ(leaks(begin, begin + vmi::attic_slab_bytes, stride(vmi::attic_slab_bytes / 8)), 0);
  }
}

TEST(no_page_of_guest_memory) {
  CHECK_EQ(leaks(vmi::ram_base, vmi::ram_base + (64ul << 20), stride(page * 2)), 0);
  CHECK_EQ(leaks(vmi::ram_base + (64ul << 20), 0x7fffff000000, stride(2ul << 20)), 0);
}

TEST(nothing_from_the_end_of_user_memory_to_the_window) {
  CHECK_EQ(leaks(vmi::user_end, vmi::trampolines_high, stride(1ul << 20)), 0);
  const uint64_t trampolines_end = vmi::trampolines_high + vmi::trampolines_high_bytes;
  CHECK_EQ(leaks(trampolines_end, trampolines_end + (1ul << 20), stride(page)), 0);
  CHECK_EQ(leaks(trampolines_end, vmi::gate_base, stride(1ul << 20)), 0);
  CHECK_EQ(leaks(vmi::gate_base + vmi::gate_size, vmi::alt_stack_base, stride(page)), 0);
  CHECK_EQ(leaks(vmi::alt_stack_base + vmi::alt_stack_size, vmi::window_base, stride(1ul << 20)),
           0);
}

TEST(the_gate_cannot_be_written) {
  for (uint64_t at = vmi::gate_base; at < vmi::gate_base + vmi::gate_size; at += 256) {
    CHECK(write_faults(at));
  }
}

/// Where there are any they can be read, as the code they stand for can.
TEST(trampolines_cannot_be_written) {
  for (const auto& area : vmi::trampoline_areas)
    for (uint64_t at = area.base; at < area.base + area.bytes; at += 256 * stride(1))
      CHECK(write_faults(at));
}

TEST(nothing_beyond_the_user_half) {
  for (uint64_t at :
       {0x7ffffffff000ul, 0x800000000000ul, 0x8000000000000000ul, 0xffff800000000000ul,
        0xffff888000000000ul, 0xffffffff81000000ul, 0xfffffffffffff000ul}) {
    CHECK(read_faults(at) && write_faults(at));
  }
}

/// As a system call sees it: EFAULT.
static void check_efault(uint64_t at) {
  int ends[2];
  REQUIRE(pipe(ends) == 0 && write(ends[1], "0123456789abcdef", 16) == 16);
  char path[16] = {};
  CHECK_ERRNO(syscall(SYS_write, ends[1], at, 8), EFAULT);
  CHECK_ERRNO(syscall(SYS_read, ends[0], at, 8), EFAULT);
  CHECK_ERRNO(syscall(SYS_open, at, 0), EFAULT);
  CHECK_ERRNO(syscall(SYS_uname, at), EFAULT);
  CHECK_ERRNO(syscall(SYS_newfstatat, AT_FDCWD, "/", at, 0), EFAULT);
  CHECK_ERRNO(syscall(SYS_getrandom, at, 8, 0), EFAULT);
  CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, at, 0, 8), EFAULT);
  CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, 0, at, 8), EFAULT);
  CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, at, 0, 8), EFAULT);
  CHECK_ERRNO(syscall(SYS_clock_gettime, 1, at), EFAULT);
  CHECK_ERRNO(syscall(SYS_nanosleep, at, 0), EFAULT);
  CHECK_ERRNO(syscall(SYS_pipe2, at, 0), EFAULT);
  CHECK_ERRNO(syscall(SYS_poll, at, 1, 0), EFAULT);
  CHECK_ERRNO(syscall(SYS_execve, at, path, path), EFAULT);
  CHECK_ERRNO(syscall(SYS_writev, ends[1], at, 1), EFAULT);
  iovec vector = {(void*)at, 8};
  CHECK_ERRNO(writev(ends[1], &vector, 1), EFAULT);
  CHECK_ERRNO(readv(ends[0], &vector, 1), EFAULT);
  CHECK_EQ(read(ends[0], path, 16), 16);
  int fd = open("/tmp/reach", O_RDWR | O_CREAT | O_TRUNC, 0600);
  CHECK_EQ(write(fd, "0123456789abcdef", 16), 16);
  CHECK_ERRNO(syscall(SYS_pread64, fd, at, 8, 0), EFAULT);
  CHECK_ERRNO(syscall(SYS_pwrite64, fd, at, 8, 0), EFAULT);
  close(fd);
  unlink("/tmp/reach");
  close(ends[0]);
  close(ends[1]);
}

TEST(system_calls_cannot_be_made_to_reach_either) {
  for (uint64_t at :
       {vmi::user_end, vmi::gate_base, vmi::gate_base + 0x1000, vmi::alt_stack_base,
        vmi::alt_stack_base + vmi::alt_stack_size - 512, vmi::window_base,
        vmi::window_base + 0x1000, vmi::resident_base, vmi::kernel_base, vmi::window_end - 8,
        vmi::attic_base, vmi::attic_slab(7) + 0x1000, vmi::ram_base, vmi::ram_base + 0x100000}) {
    check_efault(at);
  }
}

TEST(a_file_cannot_be_poured_over_the_monitor) {
  // Long copies, which a monitor may hand to the host in one piece.
  int fd = open("/tmp/pour", O_RDWR | O_CREAT | O_TRUNC, 0600);
  static char block[1 << 16];
  CHECK_EQ(write(fd, block, sizeof block), sizeof block);
  for (uint64_t at : {vmi::window_base, vmi::kernel_base, vmi::alt_stack_base, vmi::ram_base}) {
    CHECK_ERRNO(syscall(SYS_pread64, fd, at, sizeof block, 0), EFAULT);
    CHECK_ERRNO(syscall(SYS_pwrite64, fd, at, sizeof block, 0), EFAULT);
  }
  close(fd);
  unlink("/tmp/pour");
  CHECK(sound(true));
}

TEST(lengths_that_run_into_the_monitor) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  static char byte = 'x';
  uint64_t distance = vmi::window_base + 0x1000 - (uint64_t)&byte;
  // Readable memory at the start, the window at the end: short or EFAULT, never the whole.
  int fd = open("/dev/null", O_WRONLY);
  long written = syscall(SYS_pwrite64, fd, &byte, 0, 0);
  CHECK_EQ(written, 0);
  CHECK(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
  written = syscall(SYS_write, ends[1], &byte, distance);
  CHECK(written < (long)distance);
  CHECK(sound(true));
}
