// Entropy: every read of its register gives eight fresh random bytes of the host's.
#pragma once

#include "devices/device.h"
#include "devices/entropy_port.h"

namespace devices {

class Entropy final : public Device {
 public:
  explicit Entropy(EntropyPort port) : port_(port) {}

  std::uint64_t read(std::uint32_t offset) override;
  void write(std::uint32_t, std::uint64_t) override {}

 private:
  EntropyPort port_;
};

}  // namespace devices
