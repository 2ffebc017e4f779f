// Called by the socket device at doorbells and when the guest wakes. Both eventfds never block: one
// that is full, or empty, has said all there is to say.
#include "devices/socket_port.h"

namespace devices {

void SocketPort::ring() {
  const std::uint64_t one = 1;
  (void)host_.call(__NR_write, bells_.doorbell, &one, sizeof one);
}

void SocketPort::silence() {
  std::uint64_t times;
  (void)host_.call(__NR_read, bells_.wake, &times, sizeof times);
}

}  // namespace devices
