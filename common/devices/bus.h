// Bus: finds the device behind a bus address. Devices attach once, in Machine's constructor; a
// guest access comes here from the monitor's device_read / device_write hypercall, in the
// baseline's VMM process or in the extended monitor, and is answered at once.
#pragma once

#include <cstddef>
#include <cstdint>

#include "devices/console_port.h"
#include "devices/device.h"

namespace devices {

class Bus {
 public:
  static constexpr std::size_t slots = 8;

  Bus(ConsolePort log, vmi::Counters& counters) : log_(log), counters_(counters) {}

  /// Gives `device` the addresses [base, base + vmi::device_span). False, and nothing changes,
  /// when another device owns one of them, or the table is full.
  [[nodiscard]] bool attach(std::uint32_t base, Device& device);

  /// The register at `address`; 0 when no device owns it (logged and counted).
  std::uint64_t read(std::uint32_t address);
  void write(std::uint32_t address, std::uint64_t value);
  /// Lets every device look at the host.
  void poll();
  /// What all of them wait for.
  [[nodiscard]] Waits waits() const;

 private:
  struct Slot {
    std::uint32_t base;
    Device* device;
  };

  /// The slot that owns `address`, or nullptr: a stray access.
  const Slot* route(std::uint32_t address, bool write);
  void log_stray(std::uint32_t address, bool write);

  ConsolePort log_;
  vmi::Counters& counters_;
  Slot table_[slots] = {};
  std::size_t used_ = 0;
};

}  // namespace devices
