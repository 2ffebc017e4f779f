// Sockets: the way outside, as the bus has it: a doorbell, and what ends the guest's sleep.
// Requests are carried out elsewhere, from the rings (vmi/sockets.h); that is where they are
// checked.
#pragma once

#include "devices/device.h"
#include "devices/socket_port.h"

namespace devices {

class Sockets final : public Device {
 public:
  Sockets(SocketPort port, InterruptLine line, vmi::SocketRings& rings)
      : port_(port), line_(line), rings_(rings) {}

  std::uint64_t read(std::uint32_t offset) override;
  void write(std::uint32_t offset, std::uint64_t value) override;
  /// The guest is awake.
  void poll() override;
  /// From now on answers wake it.
  void wait_for(Waits&) const override;

 private:
  SocketPort port_;
  InterruptLine line_;
  vmi::SocketRings& rings_;
};

}  // namespace devices
