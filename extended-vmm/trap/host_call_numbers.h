// The numbers of all host calls that the resident part makes from inside the window. The table of
// what their arguments must be, from which the filter is made, has a line for each and for no other
// (host_calls.cpp; a test holds them together); whoever makes one names it by a HostCall, so that a
// call which the filter does not know does not compile.
#pragma once

#include <asm/unistd_64.h>

#include <cstdint>

namespace extended {

inline constexpr std::uint64_t host_call_numbers[] = {
    // what a trap and address spaces take
    __NR_sigaltstack, __NR_mmap, __NR_munmap, __NR_mprotect, __NR_madvise, __NR_pwritev, __NR_futex,
    __NR_rt_sigprocmask, __NR_clone, __NR_prctl, __NR_getppid, __NR_setitimer, __NR_clock_gettime,
    __NR_exit_group,
    // what devices take, too (devices/host.h)
    __NR_read, __NR_write, __NR_ppoll, __NR_pread64, __NR_pwrite64, __NR_lseek, __NR_sendfile,
    __NR_fdatasync, __NR_getrandom};

constexpr bool is_host_call(std::uint64_t number) {
  for (const std::uint64_t one : host_call_numbers)
    if (one == number) return true;
  return false;
}

void is_not_in_host_call_numbers();  // nowhere defined

/// The number of one of them: any other does not compile.
struct HostCall {
  consteval HostCall(long wanted) : number(static_cast<std::uint64_t>(wanted)) {
    if (!is_host_call(number)) is_not_in_host_call_numbers();
  }
  std::uint64_t number;
};

}  // namespace extended
