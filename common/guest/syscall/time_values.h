// Between the ABI's time structures and the kernel's nanoseconds.
#pragma once

#include <cstdint>

#include "guest/abi/structs.h"
#include "guest/base/clock.h"
#include "guest/base/result.h"
#include "guest/mm/frames.h"
#include "guest/sched/cpu_time.h"

namespace guest {

inline constexpr std::uint64_t ns_per_us = 1000;
/// Longer waits than this (146 years) are waits for ever; no sum with the clock overflows.
inline constexpr std::uint64_t longest_ns = 1ul << 62;

constexpr abi::Timespec to_timespec(std::uint64_t ns) {
  return {static_cast<std::int64_t>(ns / ns_per_second),
          static_cast<std::int64_t>(ns % ns_per_second)};
}
constexpr abi::Timeval to_timeval(std::uint64_t ns) {
  return {static_cast<std::int64_t>(ns / ns_per_second),
          static_cast<std::int64_t>(ns % ns_per_second / ns_per_us)};
}

/// As getrusage has it.
inline std::int64_t to_kib(Pages pages) {
  return static_cast<std::int64_t>(bytes_of(pages).number / 1024);
}

inline abi::ResourceUsage resource_usage(const CpuShares& cpu, Pages peak_memory) {
  abi::ResourceUsage usage{};
  usage.user = to_timeval(ticks_to_ns(cpu.user));
  usage.system = to_timeval(ticks_to_ns(cpu.system));
  usage.max_rss_kib = to_kib(peak_memory);
  return usage;
}

/// EINVAL: negative, or a fraction of a second or more than that.
inline Result<std::uint64_t> to_ns(const abi::Timespec& time) {
  auto fraction = static_cast<std::uint64_t>(time.nanoseconds);
  if (time.seconds < 0 || fraction >= ns_per_second) return Errno::inval;
  auto seconds = static_cast<std::uint64_t>(time.seconds);
  if (seconds >= longest_ns / ns_per_second) return longest_ns;
  return seconds * ns_per_second + fraction;
}
inline Result<std::uint64_t> to_ns(const abi::Timeval& time) {
  if (time.microseconds < 0 || time.microseconds >= 1'000'000) return Errno::inval;
  return to_ns(abi::Timespec{time.seconds, time.microseconds * 1000});
}

/// When what is asked for in `ns` is due, on CLOCK_MONOTONIC. An absolute time may be
/// CLOCK_REALTIME's; what is past is due now.
inline std::uint64_t monotonic_deadline(std::uint64_t ns, bool absolute, bool real_time) {
  const std::uint64_t now = monotonic_ns();
  if (!absolute) return now + ns;
  if (!real_time) return ns;
  const std::uint64_t real_now = realtime_ns();
  if (ns > real_now) return now + (ns - real_now);
  return now > real_now - ns ? now - (real_now - ns) : 1;  // for timers: what they have missed
}

}  // namespace guest
