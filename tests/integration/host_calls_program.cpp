// Guest code in an open window, as a guest program under protect=none is: it finds the resident
// part's one syscall instruction and makes host calls there that the resident part never makes.
// For observed_test.cpp; what they return here is of no interest.
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmi/address_map.h"

static const char text[] = "host write by guest code\n";

/// The address of host_call's `mov 8(%rsp), %r9; syscall; ret` (resident/host_call.S), or 0.
static uint64_t find_site() {
  static const unsigned char code[] = {0x4c, 0x8b, 0x4c, 0x24, 0x08, 0x0f, 0x05, 0xc3};
  for (uint64_t at = vmi::resident_base; at < vmi::kernel_base; ++at)
    if (memcmp((const void*)at, code, sizeof code) == 0) return at + 5;
  return 0;
}

static void call_at(uint64_t site, long number, long a, long b, long c, long d, long e) {
  register long r10 asm("r10") = d, r8 asm("r8") = e, r9 asm("r9") = 0;
  asm volatile("call *%[site]"
               : "+a"(number)
               : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9), [site] "r"(site)
               : "rcx", "r11", "memory");
}

int main() {
  const uint64_t site = find_site();
  if (site == 0) return 1;
  const long attempts[][6] = {
      {SYS_write, STDERR_FILENO, (long)text, sizeof text - 1, 0, 0},
      {SYS_write, STDOUT_FILENO, (long)text, sizeof text - 1, 0, 0},
      {SYS_write, 4, (long)text, sizeof text - 1, 0, 0},
      {SYS_mmap, 0x700000000000, 4 << 20, 3, MAP_SHARED | MAP_FIXED, 3},
      {SYS_mmap, (long)vmi::gate_base, 4096, 7, MAP_SHARED | MAP_FIXED, 3},
      {SYS_openat, AT_FDCWD, (long)"/etc/hostname", O_RDONLY, 0, 0},
      {SYS_kill, 1, 0, 0, 0, 0},
      {SYS_dup2, 3, 1, 0, 0, 0},
      {SYS_exit_group, 42, 0, 0, 0, 0},
  };
  for (const auto& a : attempts) {
    const pid_t child = fork();
    if (child == 0) {
      call_at(site, a[0], a[1], a[2], a[3], a[4], a[5]);
      _exit(0);
    }
    waitpid(child, nullptr, 0);
  }
  return 0;
}
