// Block: a raw image as a disk. The guest puts its request in the ring page and rings the doorbell;
// the request is carried out before the register write returns, so no interrupt is needed: nothing
// that an image in the host's page cache gives would be worth waiting for elsewhere.
#pragma once

#include "devices/block_port.h"
#include "devices/device.h"

namespace devices {

class Block final : public Device {
 public:
  Block(BlockPort port, vmi::BlockRequest& request) : port_(port), request_(request) {}

  std::uint64_t read(std::uint32_t offset) override;
  void write(std::uint32_t offset, std::uint64_t value) override;

 private:
  std::int64_t carry_out(const vmi::BlockRequest& request);

  BlockPort port_;
  vmi::BlockRequest& request_;
};

}  // namespace devices
