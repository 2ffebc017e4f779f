// The socket device; see sockets.h.
#include "devices/sockets.h"

namespace devices {

std::uint64_t Sockets::read(std::uint32_t offset) {
  return offset == vmi::socket_is_there && port_.is_there() ? 1 : 0;
}

void Sockets::write(std::uint32_t offset, std::uint64_t) {
  if (offset == vmi::socket_doorbell && port_.is_there()) port_.ring();
}

void Sockets::poll() {
  if (port_.is_there() && rings_.asleep.exchange(0) != 0) port_.silence();
}

// Whoever answers raises the line first and then asks whether the guest is asleep; so between the
// monitor's look at the lines and its sleep no answer slips by.
void Sockets::wait_for(Waits& waits) const {
  if (!port_.is_there()) return;
  constexpr std::uint64_t at_once = 1;
  rings_.asleep.store(1);
  if (line_.raised()) waits.until(at_once);
  waits.add(port_.wake(), Waits::readable);
}

}  // namespace devices
