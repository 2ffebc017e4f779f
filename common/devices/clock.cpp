// The clock device; see clock.h.
#include "devices/clock.h"

#include <ctime>

namespace devices {

std::uint64_t Clock::read(std::uint32_t offset) {
  switch (offset) {
    case vmi::clock_monotonic_ns:
      return host_.clock_ns(CLOCK_MONOTONIC);
    case vmi::clock_realtime_ns:
      return host_.clock_ns(CLOCK_REALTIME);
    default:
      return 0;
  }
}

void Clock::poll() {
  std::uint64_t deadline = deadline_.load(std::memory_order_relaxed);
  if (deadline == 0 || host_.clock_ns(CLOCK_MONOTONIC) < deadline) return;
  // A deadline that the guest has replaced meanwhile stays for the next poll.
  if (deadline_.compare_exchange_strong(deadline, 0, std::memory_order_relaxed)) line_.raise();
}

void Clock::wait_for(Waits& waits) const {
  const std::uint64_t deadline = deadline_.load(std::memory_order_relaxed);
  if (deadline != 0) waits.until(deadline);
}

}  // namespace devices
