// The host's monotonic clock, as launchers and tools use it.
#pragma once

#include <cstdint>
#include <ctime>

namespace monitor {

inline std::uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u +
         static_cast<std::uint64_t>(now.tv_nsec);
}

inline double monotonic_seconds() {
  return static_cast<double>(monotonic_ns()) * 1e-9;
}

}  // namespace monitor
