// The device bus and its registers, as guest drivers and device models both see them. A register
// is 8 bytes wide. Bulk data goes through rings in the window (vmi/rings.h).
#pragma once

#include <cstdint>

#include "vmi/address_map.h"
#include "vmi/shared_info.h"
#include "vmi/sockets.h"

namespace vmi {

// -- The devices: each owns the bus addresses [bus_base, bus_base + device_span), and may raise one
// line. A new device is an entry here, and one in devices/machine.cpp.
inline constexpr std::uint32_t device_span = 0x100;
inline constexpr Irq no_line{32};
struct DevicePlace {
  std::uint32_t bus_base;
  Irq line;
};
inline constexpr DevicePlace console_place = {0x1000, irq_console};
inline constexpr DevicePlace clock_place = {0x1100, irq_timer};
inline constexpr DevicePlace entropy_place = {0x1200, no_line};
inline constexpr DevicePlace marker_place = {0x1300, no_line};
inline constexpr DevicePlace block_place = {0x1400, no_line};
inline constexpr DevicePlace socket_place = {0x1500, irq_socket};
inline constexpr DevicePlace device_places[] = {console_place, clock_place, entropy_place,
                                                marker_place,  block_place, socket_place};
static_assert([] {
  for (const DevicePlace& one : device_places)
    for (const DevicePlace& other : device_places) {
      const bool same = &one == &other;
      const std::uint32_t distance = one.bus_base - other.bus_base;
      if (!same && (distance < device_span || -distance < device_span)) return false;
      if (!same && one.line != no_line && one.line == other.line) return false;
    }
  return true;
}());

// -- Console: three streams, kept apart.
enum ConsoleRegister : std::uint32_t {
  console_flush_out = 0x00,  // write: drain the output ring to the host's stdout; reads: 0 or the
  console_flush_err = 0x08,  //   negative host errno (-EPIPE…) of the last drain of that stream
  console_fill_in = 0x10,    // write: fetch input into the ring without blocking; arms irq_console
  console_in_state = 0x18,   // read: 0 more may come, 1 end of file, negative: host errno
};
// If the host would block, a flush leaves the rest in the ring; irq_console tells that it is empty.
// After a negative status the rest is still there, for the guest to take back. irq_console also
// tells of input, its end or its errno; each console_fill_in forgets an earlier end of file and
// looks again.

// -- Clock: the host's clocks, for calibration and for hosts without an invariant TSC.
enum ClockRegister : std::uint32_t {
  clock_monotonic_ns = 0x00,
  clock_realtime_ns = 0x08,
};

// -- Entropy: each read gives eight fresh random bytes.
enum EntropyRegister : std::uint32_t { entropy_data = 0x00 };

// -- Marker: a workload tells the host's clock where the measured part starts and stops. The text
// ("start NAME COUNT GUEST_NS" or "stop NAME GUEST_NS") is put in the marker ring first; the
// device stamps it with the host's CLOCK_MONOTONIC at the write of marker_commit.
enum MarkerRegister : std::uint32_t { marker_commit = 0x00 };

// -- Block device: a raw image. One request at a time, described in Rings::block; a write to the
// doorbell carries it out, and its status is there when the write returns.
enum BlockRegister : std::uint32_t {
  block_doorbell = 0x00,      // write: carry out the request
  block_bytes = 0x08,         // read: size of the image; 0: there is none
  block_is_read_only = 0x10,  // read: 1 when writes are refused
};
enum BlockOperation : std::uint32_t { block_read = 1, block_write = 2, block_flush = 3 };

// -- Socket device: the way outside (vmi/sockets.h).
enum SocketRegister : std::uint32_t {
  socket_doorbell = 0x00,  // write: there are requests, or there is room for answers
  socket_is_there = 0x08,  // read: 1 when somebody carries out requests
};

struct BlockRequest {
  std::uint32_t operation;
  std::uint32_t reserved;
  std::uint64_t offset;  // in the image, bytes
  std::uint64_t memory;  // offset in guest memory (address_map.h: window, then page frames)
  std::uint64_t bytes;
  std::int64_t status;  // 0, or a negative host errno
};

/// A byte ring in the window: single producer, single consumer, one side of each in the guest.
/// head and tail run freely and wrap at 2^32; filled bytes = head - tail.
template <std::uint32_t N>
struct ByteRing {
  static constexpr std::uint32_t capacity = N;
  static_assert((N & (N - 1)) == 0);
  std::uint32_t head;  // producer
  std::uint32_t tail;  // consumer
  std::uint64_t reserved;
  std::uint8_t data[N];
};

/// Device rings: from vmi::rings_base.
struct Rings {
  ByteRing<16384> console_out;
  ByteRing<16384> console_err;
  ByteRing<4096> console_in;
  ByteRing<4096> marker;
  BlockRequest block;
  SocketRings sockets;
};

static_assert(sizeof(ByteRing<4096>) == 16 + 4096);
static_assert(sizeof(Rings) <= rings_bytes);

}  // namespace vmi
