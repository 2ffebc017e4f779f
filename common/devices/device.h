// Device: a model on the device bus. It knows register offsets, the rings, its host port and an
// interrupt line; it never sees a VMM, a pid, ptrace or signals. Compiled twice from the same
// source: for the baseline's VMM process (hosted) and into the extended monitor's resident part
// (freestanding, -mgeneral-regs-only, inside the window). So: no libc, no exceptions, no heap.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "vmi/devices.h"
#include "vmi/shared_info.h"

namespace devices {

/// Raises one line: a pending bit in shared info. Kicking a sleeping guest is the monitor's part.
class InterruptLine {
 public:
  InterruptLine(std::atomic<std::uint32_t>& pending, vmi::Irq irq) : pending_(pending), irq_(irq) {}
  void raise() { pending_.fetch_or(1u << irq_, std::memory_order_relaxed); }

 private:
  std::atomic<std::uint32_t>& pending_;
  vmi::Irq irq_;
};

/// The host as devices see it. Each monitor implements it: by libc in the baseline's VMM process,
/// by raw host calls from inside the window in the extended monitor. Results: bytes or count,
/// negative host errno on failure (-EAGAIN: would block).
class HostPort {
 public:
  virtual std::int64_t write(int stream, const void* data, std::size_t bytes) = 0;  // 1 out, 2 err
  virtual std::int64_t read_input(void* data, std::size_t bytes) = 0;  // stdin; never blocks
  virtual std::uint64_t monotonic_ns() = 0;
  virtual std::uint64_t realtime_ns() = 0;
  virtual void random(void* data, std::size_t bytes) = 0;
  /// A marker, stamped: goes to the launcher's report.
  virtual void marker(std::uint64_t host_ns, const char* text, std::size_t bytes) = 0;
  // -- The disk: a raw image. `memory` is an offset in guest memory (window, then page frames).
  /// 0: there is none.
  virtual std::uint64_t block_bytes() { return 0; }
  virtual bool block_read_only() { return true; }
  /// Bytes moved, at least one unless the image ends.
  virtual std::int64_t read_block(std::uint64_t, std::uint64_t /*memory*/, std::uint64_t) {
    return -5;
  }
  virtual std::int64_t write_block(std::uint64_t, std::uint64_t /*memory*/, std::uint64_t) {
    return -5;
  }
  /// What was written is on stable storage. 0 or a negative host errno.
  virtual std::int64_t flush_block() { return 0; }
  /// An access that no device owns. Counted by the bus already; this logs it.
  virtual void stray_access(std::uint32_t address, bool write) = 0;

 protected:
  ~HostPort() = default;
};

class Device {
 public:
  virtual std::uint64_t read(std::uint32_t offset) = 0;
  virtual void write(std::uint32_t offset, std::uint64_t value) = 0;
  /// Called on every host tick and before idling: fetch input, raise lines. Default: nothing.
  virtual void poll() {}

 protected:
  ~Device() = default;
};

}  // namespace devices
