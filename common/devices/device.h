// Device: a model on the device bus. It knows register offsets, the rings, its host port and an
// interrupt line; it never sees a VMM, a pid, ptrace or signals. Compiled twice from the same
// source: for the baseline's VMM process (hosted) and into the extended monitor's resident part
// (freestanding, -mgeneral-regs-only, inside the window). So: no libc, no exceptions, no heap.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "devices/waits.h"
#include "vmi/devices.h"
#include "vmi/shared_info.h"

namespace devices {

/// Raises one line: a pending bit in shared info. Kicking a sleeping guest is the monitor's part.
class InterruptLine {
 public:
  InterruptLine(std::atomic<std::uint32_t>& pending, const vmi::DevicePlace& place)
      : pending_(pending), irq_(place.line) {}
  void raise() { pending_.fetch_or(1u << irq_, std::memory_order_relaxed); }
  [[nodiscard]] bool raised() const { return pending_.load() >> irq_ & 1; }

 private:
  std::atomic<std::uint32_t>& pending_;
  vmi::Irq irq_;
};

class Device {
 public:
  virtual std::uint64_t read(std::uint32_t offset) = 0;
  virtual void write(std::uint32_t offset, std::uint64_t value) = 0;
  /// Called on every host tick and before idling: fetch input, raise lines. Default: nothing.
  virtual void poll() {}
  /// Adds what must end an idle guest's sleep: then poll() has something to do. Default: nothing.
  virtual void wait_for(Waits&) const {}

 protected:
  ~Device() = default;
};

}  // namespace devices
