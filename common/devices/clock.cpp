// The clock device; see clock.h.
#include "devices/clock.h"

namespace devices {

std::uint64_t Clock::read(std::uint32_t offset) {
  switch (offset) {
    case vmi::clock_monotonic_ns:
      return host_.monotonic_ns();
    case vmi::clock_realtime_ns:
      return host_.realtime_ns();
    default:
      return 0;
  }
}

void Clock::poll() {
  std::uint64_t deadline = deadline_.load(std::memory_order_relaxed);
  if (deadline == 0 || host_.monotonic_ns() < deadline) return;
  // A deadline that the guest has replaced meanwhile stays for the next poll.
  if (deadline_.compare_exchange_strong(deadline, 0, std::memory_order_relaxed)) line_.raise();
}

}  // namespace devices
