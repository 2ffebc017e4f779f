// The list of devices. A new device is a class beside this file and a line in each half here.
#include "devices/machine.h"

namespace devices {

Machine::Machine(HostPort& host, vmi::SharedInfo& shared, vmi::Rings& rings)
    : bus_(host, shared.counters),
      console_(host, InterruptLine(shared.pending, vmi::irq_console), rings),
      clock_(host, InterruptLine(shared.pending, vmi::irq_timer), shared.timer_deadline),
      entropy_(host),
      marker_(host, rings),
      block_(host, rings.block) {
  bool attached =
      bus_.attach(vmi::console_bus_base, console_) && bus_.attach(vmi::clock_bus_base, clock_) &&
      bus_.attach(vmi::entropy_bus_base, entropy_) && bus_.attach(vmi::marker_bus_base, marker_) &&
      bus_.attach(vmi::block_bus_base, block_);
  // Addresses are constants of the interface: an overlap is a mistake in it, not a state to serve.
  if (!attached) __builtin_trap();
}

}  // namespace devices
