// The guest's clocks, from the TSC. Called by anything that tells the time: time_calls, the
// scheduler's slices, time stamps of inodes.
#include "guest/base/clock.h"

#include "guest/platform.h"

namespace guest {

std::uint64_t tsc() {
  return __builtin_ia32_rdtsc();
}

std::uint64_t ticks_to_ns(std::uint64_t ticks) {
  const vmi::TimeScale& scale = shared_info().time;
  return static_cast<std::uint64_t>((static_cast<unsigned __int128>(ticks) * scale.mult) >>
                                    scale.shift);
}

// A CPU whose TSC is a little behind must not make time jump to the far future.
static std::uint64_t since_base() {
  std::uint64_t now = tsc(), base = shared_info().time.base_tsc;
  return now > base ? ticks_to_ns(now - base) : 0;
}

std::uint64_t monotonic_ns() {
  return shared_info().time.monotonic_ns + since_base();
}
std::uint64_t realtime_ns() {
  return shared_info().time.realtime_ns + since_base();
}

}  // namespace guest
