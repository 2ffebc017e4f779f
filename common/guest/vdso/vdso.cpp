// The vDSO: code of the guest kernel that runs in guest user mode. It tells the time from the TSC
// and the page of numbers behind it, as base/clock.cpp does in the kernel, without a trap. The C
// library finds it through AT_SYSINFO_EHDR and calls it in place of the system calls; exec/vdso.cpp
// maps it into every program. Whatever cannot be told here is asked of the kernel.
//
// Nothing here writes to memory of its own, and nothing needs relocating: the page is shared by all
// programs. A bad pointer of the caller's is the caller's fault, as on Linux: SIGSEGV.
#include <cstdint>

#include "guest/abi/structs.h"
#include "vmi/shared_info.h"

/// The page behind the code (vdso.ld), filled by the kernel at boot.
extern "C" [[gnu::visibility("hidden")]] const vmi::TimeScale vdso_time;

namespace {

constexpr std::uint64_t ns_per_second = 1'000'000'000;
constexpr long call_clock_gettime = 228;

/// Clocks as Linux numbers them, one bit each. Time never stops while the machine sleeps, nor is
/// any clock coarse: several numbers name the same clock.
constexpr std::uint32_t realtime_clocks = 1u << 0 | 1u << 5 | 1u << 11;
constexpr std::uint32_t monotonic_clocks = 1u << 1 | 1u << 4 | 1u << 6 | 1u << 7;

struct TimeZone {
  std::int32_t minutes_west, summer_time;
};

/// The fence: a time stamp must not be taken before what the program did before asking.
std::uint64_t ordered_tsc() {
  std::uint32_t low, high;
  asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
  return std::uint64_t{high} << 32 | low;
}

std::uint64_t since_base() {
  std::uint64_t now = ordered_tsc(), base = vdso_time.base_tsc;
  if (now <= base) return 0;
  return static_cast<std::uint64_t>((static_cast<unsigned __int128>(now - base) * vdso_time.mult) >>
                                    vdso_time.shift);
}

std::uint64_t realtime_ns() {
  return vdso_time.realtime_ns + since_base();
}
std::uint64_t monotonic_ns() {
  return vdso_time.monotonic_ns + since_base();
}

void put(guest::abi::Timespec* to, std::uint64_t ns) {
  to->seconds = static_cast<std::int64_t>(ns / ns_per_second);
  to->nanoseconds = static_cast<std::int64_t>(ns % ns_per_second);
}

long ask_kernel(long number, long first, void* second) {
  long result;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(first), "S"(second)
               : "rcx", "r11", "memory");
  return result;
}

}  // namespace

#define VDSO_EXPORT extern "C" [[gnu::visibility("default")]]

VDSO_EXPORT long __vdso_clock_gettime(int clock, guest::abi::Timespec* to) {
  std::uint32_t bit = clock >= 0 && clock < 32 ? 1u << clock : 0;
  if (bit & monotonic_clocks) {
    put(to, monotonic_ns());
  } else if (bit & realtime_clocks) {
    put(to, realtime_ns());
  } else {
    return ask_kernel(call_clock_gettime, clock, to);
  }
  return 0;
}

VDSO_EXPORT long __vdso_gettimeofday(guest::abi::Timeval* to, TimeZone* zone) {
  if (to) {
    std::uint64_t ns = realtime_ns();
    to->seconds = static_cast<std::int64_t>(ns / ns_per_second);
    to->microseconds = static_cast<std::int64_t>(ns % ns_per_second / 1000);
  }
  if (zone) *zone = {};  // UTC
  return 0;
}

VDSO_EXPORT long __vdso_time(std::int64_t* to) {
  auto seconds = static_cast<std::int64_t>(realtime_ns() / ns_per_second);
  if (to) *to = seconds;
  return seconds;
}

/// The machine has one CPU.
VDSO_EXPORT long __vdso_getcpu(std::uint32_t* cpu, std::uint32_t* node, void* /*unused*/) {
  if (cpu) *cpu = 0;
  if (node) *node = 0;
  return 0;
}
