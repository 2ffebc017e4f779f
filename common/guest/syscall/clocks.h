// What a clockid stands for: a clock that tells the time, or one of CPU time. Used by the system
// calls that read clocks, sleep by them or set timers on them.
#pragma once

#include <cstdint>

#include "guest/base/ref.h"
#include "guest/base/result.h"
#include "guest/proc/process.h"

namespace guest {

enum ClockId : int {
  clock_realtime = 0,
  clock_monotonic = 1,
  clock_process_cpu = 2,
  clock_thread_cpu = 3,
  clock_monotonic_raw = 4,
  clock_realtime_coarse = 5,
  clock_monotonic_coarse = 6,
  clock_boottime = 7,
  clock_realtime_alarm = 8,  // these two wake a machine that sleeps: without such a device
  clock_boottime_alarm = 9,
  clock_tai = 11,
};

/// What can be had of a clock but its time.
enum class ClockUse { sleep, timer };
/// EINVAL: there is no such clock; EOPNOTSUPP: not this of it. Whose CPU time it is, nobody asks.
Result<> check_use(int clock, ClockUse use);

constexpr bool tells_real_time(int clock) {
  return clock == clock_realtime || clock == clock_realtime_coarse || clock == clock_tai;
}
constexpr bool is_of_cpu_time(int clock) {
  return clock == clock_process_cpu || clock == clock_thread_cpu || clock < 0;
}

struct CpuClock {
  TimerClock clock;
  Ref<Process> process;  // keeps what `clock` needs; in a thread's clock, until that ends
};
/// EINVAL: nobody's. Reading a clock is allowed more than setting timers on it.
Result<CpuClock> find_cpu_clock(int clock, bool to_read);

/// EINVAL.
Result<std::uint64_t> read_clock(int clock);
/// Nanoseconds. EINVAL.
Result<std::uint64_t> resolution_of(int clock);

}  // namespace guest
