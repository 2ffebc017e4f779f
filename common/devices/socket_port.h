// The socket device's way to the host: two eventfds. Whoever carries out the requests has the other
// ends, in another thread or process (monitor/outside/): this one has no socket of the host's, and
// makes no host call that takes one.
#pragma once

#include "devices/host.h"

namespace devices {

/// Descriptors where the device runs; -1: nobody carries out requests.
struct SocketBells {
  int doorbell = -1;  // rung by the guest
  int wake = -1;      // rung when there are answers and the guest sleeps
};

class SocketPort {
 public:
  SocketPort(Host& host, SocketBells bells) : host_(host), bells_(bells) {}

  [[nodiscard]] bool is_there() const { return bells_.doorbell >= 0; }
  void ring();
  /// What is readable when the guest must wake, and its end.
  [[nodiscard]] int wake() const { return bells_.wake; }
  void silence();

 private:
  Host& host_;
  SocketBells bells_;
};

}  // namespace devices
