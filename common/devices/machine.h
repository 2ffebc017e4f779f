// Machine: the devices of a guest, on their bus. Each monitor owns one: the baseline in its VMM
// process, the extended monitor in its resident part, where it is built with placement new in
// static storage before the guest boots (nothing here needs a libc, a heap or a destructor).
#pragma once

#include <cstdint>

#include "devices/block.h"
#include "devices/bus.h"
#include "devices/clock.h"
#include "devices/console.h"
#include "devices/entropy.h"
#include "devices/marker.h"
#include "devices/sockets.h"

namespace devices {

class Machine {
 public:
  /// References must outlive the machine; `shared` and `rings` lie in the guest's window.
  Machine(Host& host, const Disk& disk, SocketBells bells, MarkerLog& markers,
          vmi::SharedInfo& shared, vmi::Rings& rings);
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  /// The hypercalls device_read and device_write end here. Accesses are counted by the bus.
  std::uint64_t read(std::uint32_t address) { return bus_.read(address); }
  void write(std::uint32_t address, std::uint64_t value) { bus_.write(address, value); }

  /// On every host tick and before idling: fetches console input that the guest waits for, carries
  /// on with blocked output, raises irq_timer when the guest's deadline has passed.
  void poll() { bus_.poll(); }
  /// While idle, the monitor must sleep no longer than this says, and then poll().
  [[nodiscard]] Waits waits() const { return bus_.waits(); }
  /// When the guest has shut down, the monitor must go on waiting and polling meanwhile: what a
  /// program wrote is the reader's, however late he reads.
  [[nodiscard]] bool output_blocked() const { return console_.output_blocked(); }

 private:
  Bus bus_;
  Console console_;
  Clock clock_;
  Entropy entropy_;
  Marker marker_;
  Block block_;
  Sockets sockets_;
};

}  // namespace devices
