// The block device; see block.h. The one place that checks a request against the image's size; the
// port checks it against guest memory, which it alone knows.
#include "devices/block.h"

namespace devices {
namespace {

constexpr std::int64_t io_error = -5;

}  // namespace

std::uint64_t Block::read(std::uint32_t offset) {
  switch (offset) {
    case vmi::block_bytes:
      return port_.bytes();
    case vmi::block_is_read_only:
      return port_.read_only() ? 1 : 0;
    default:
      return 0;
  }
}

void Block::write(std::uint32_t offset, std::uint64_t) {
  if (offset != vmi::block_doorbell) return;
  vmi::BlockRequest request = request_;  // the guest's copy may change: look once
  request_.status = carry_out(request);
}

std::int64_t Block::carry_out(const vmi::BlockRequest& request) {
  std::uint64_t size = port_.bytes();
  if (size == 0) return io_error;
  if (request.operation == vmi::block_flush) return port_.flush();
  if (request.offset > size || request.bytes > size - request.offset) return io_error;
  bool reads = request.operation == vmi::block_read;
  if (!reads && (request.operation != vmi::block_write || port_.read_only())) return io_error;
  std::uint64_t done = 0;
  while (done < request.bytes) {
    std::uint64_t at = request.offset + done, memory = request.memory + done;
    std::uint64_t left = request.bytes - done;
    std::int64_t moved = reads ? port_.read(at, memory, left) : port_.write(at, memory, left);
    if (moved < 0) return moved;
    if (moved == 0) return io_error;  // the image became shorter under us
    done += static_cast<std::uint64_t>(moved);
  }
  return 0;
}

}  // namespace devices
