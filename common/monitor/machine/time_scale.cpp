// TSC calibration against CLOCK_MONOTONIC. The clock is steered (NTP), so the rate that counts is
// the one measured here and now, not the one the host kernel assumed at its own boot.
#include "monitor/machine/time_scale.h"

#include <x86intrin.h>

#include <ctime>

#include "monitor/machine/clock.h"

namespace monitor {

namespace {

// Over 20 ms an error of 50 ns in either sample is an error of 5 parts in a million.
constexpr std::uint64_t interval_ns = 20'000'000;

struct Sample {
  std::uint64_t tsc;
  std::uint64_t ns;
};

// The clock reading with the least time around it: whoever was interrupted does not count.
Sample sample(clockid_t clock) {
  Sample best{};
  std::uint64_t best_width = ~0ul;
  for (int attempt = 0; attempt < 8; ++attempt) {
    timespec now{};
    std::uint64_t before = __rdtsc();
    clock_gettime(clock, &now);
    std::uint64_t width = __rdtsc() - before;
    if (width >= best_width) continue;
    best_width = width;
    best = {before + width / 2, static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u +
                                    static_cast<std::uint64_t>(now.tv_nsec)};
  }
  return best;
}

const Sample& first_sample() {
  static const Sample first = sample(CLOCK_MONOTONIC);
  return first;
}

struct Rate {
  std::uint32_t mult;
  std::uint32_t shift;
};

Rate measure_rate() {
  Sample first = first_sample();
  std::uint64_t passed = monotonic_ns() - first.ns;
  if (passed < interval_ns) {
    timespec rest{0, static_cast<long>(interval_ns - passed)};
    nanosleep(&rest, nullptr);
  }
  Sample last = sample(CLOCK_MONOTONIC);
  unsigned __int128 ns = last.ns - first.ns;
  std::uint64_t ticks = last.tsc > first.tsc ? last.tsc - first.tsc : 1;
  // The most precise multiplier that still fits 32 bits.
  std::uint32_t shift = 40;
  while (shift > 0 && ((ns << shift) / ticks) >> 32 != 0) --shift;
  return {static_cast<std::uint32_t>((ns << shift) / ticks), shift};
}

}  // namespace

void begin_time_calibration() {
  first_sample();
}

vmi::TimeScale measure_time_scale() {
  static const Rate rate = measure_rate();
  Sample monotonic = sample(CLOCK_MONOTONIC);
  Sample realtime = sample(CLOCK_REALTIME);
  vmi::TimeScale scale{};
  scale.base_tsc = monotonic.tsc;
  scale.monotonic_ns = monotonic.ns;
  scale.mult = rate.mult;
  scale.shift = rate.shift;
  // Both clocks share one base: take the real-time sample back to the monotonic one's moment.
  scale.realtime_ns = realtime.ns - (scaled_monotonic_ns(scale, realtime.tsc) - scale.monotonic_ns);
  return scale;
}

double cycles_per_second(const vmi::TimeScale& scale) {
  if (scale.mult == 0 || scale.shift >= 64) return 0;
  return 1e9 * static_cast<double>(1ull << scale.shift) / static_cast<double>(scale.mult);
}

std::uint64_t scaled_monotonic_ns(const vmi::TimeScale& scale, std::uint64_t tsc) {
  unsigned __int128 product = static_cast<unsigned __int128>(tsc - scale.base_tsc) * scale.mult;
  return scale.monotonic_ns + static_cast<std::uint64_t>(product >> scale.shift);
}

}  // namespace monitor
