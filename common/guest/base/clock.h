// The guest's clocks: the host's TSC, scaled by what the launcher measured (SharedInfo::time).
// Reading one costs no host call.
#pragma once

#include <cstdint>

namespace guest {

inline constexpr std::uint64_t ns_per_second = 1'000'000'000;
inline constexpr std::uint64_t ns_per_tick = ns_per_second / 100;  // of /proc's: USER_HZ

std::uint64_t tsc();
std::uint64_t monotonic_ns();
std::uint64_t realtime_ns();
/// A duration, in TSC ticks, in nanoseconds.
std::uint64_t ticks_to_ns(std::uint64_t ticks);

}  // namespace guest
