// Driver of the block device: fills in the one request there is and rings its doorbell.
#include "guest/drivers/block.h"

#include "guest/platform.h"

namespace guest {
namespace {

std::uint64_t register_value(std::uint32_t offset) {
  return hypercalls().device_read(vmi::block_place.bus_base + offset);
}

class MachineDisk final : public BlockDevice {
 public:
  std::uint64_t bytes() override { return bytes_; }
  bool read_only() override { return read_only_; }

  Result<> read(std::uint64_t at, void* to, std::uint32_t bytes) override {
    return request(vmi::block_read, at, window_offset(to), bytes);
  }
  Result<> write(std::uint64_t at, const void* from, std::uint32_t bytes) override {
    return request(vmi::block_write, at, window_offset(from), bytes);
  }
  Result<> read_frames(std::uint64_t at, Frame frame, std::uint64_t offset,
                       std::uint64_t bytes) override {
    return request(vmi::block_read, at, vmi::frame_offset(frame) + offset, bytes);
  }
  Result<> write_frames(std::uint64_t at, Frame frame, std::uint64_t offset,
                        std::uint64_t bytes) override {
    return request(vmi::block_write, at, vmi::frame_offset(frame) + offset, bytes);
  }
  Result<> flush() override { return request(vmi::block_flush, 0, 0, 0); }

  bool probe() {
    bytes_ = register_value(vmi::block_bytes);
    read_only_ = register_value(vmi::block_is_read_only) != 0;
    return bytes_ != 0;
  }

 private:
  static std::uint64_t window_offset(const void* pointer) {
    return reinterpret_cast<std::uint64_t>(pointer) - vmi::window_base;
  }
  static Result<> request(std::uint32_t operation, std::uint64_t at, std::uint64_t memory,
                          std::uint64_t bytes) {
    vmi::BlockRequest& request = rings().block;
    request = {operation, 0, at, memory, bytes, -static_cast<std::int64_t>(Errno::io)};
    hypercalls().device_write(vmi::block_place.bus_base + vmi::block_doorbell, 1);
    return request.status < 0 ? Result<>(Errno::io) : Result<>();
  }

  std::uint64_t bytes_ = 0;
  bool read_only_ = false;
};

constinit MachineDisk disk;

}  // namespace

BlockDevice* machine_disk() {
  return disk.probe() ? &disk : nullptr;
}

}  // namespace guest
