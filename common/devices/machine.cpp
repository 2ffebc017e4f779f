// The list of devices. A new device is a class beside this file and a line in each half here.
#include "devices/machine.h"

namespace devices {

Machine::Machine(Host& host, const Disk& disk, SocketBells bells, MarkerLog& markers,
                 vmi::SharedInfo& shared, vmi::Rings& rings)
    : bus_(ConsolePort(host), shared.counters),
      console_(ConsolePort(host), InterruptLine(shared.pending, vmi::console_place), rings),
      clock_(host, InterruptLine(shared.pending, vmi::clock_place), shared.timer_deadline),
      entropy_(EntropyPort(host)),
      marker_(host, markers, rings),
      block_(BlockPort(host, disk), rings.block),
      sockets_(SocketPort(host, bells), InterruptLine(shared.pending, vmi::socket_place),
               rings.sockets) {
  bool attached = bus_.attach(vmi::console_place.bus_base, console_) &&
                  bus_.attach(vmi::clock_place.bus_base, clock_) &&
                  bus_.attach(vmi::entropy_place.bus_base, entropy_) &&
                  bus_.attach(vmi::marker_place.bus_base, marker_) &&
                  bus_.attach(vmi::block_place.bus_base, block_) &&
                  bus_.attach(vmi::socket_place.bus_base, sockets_);
  // Addresses are constants of the interface: an overlap is a mistake in it, not a state to serve.
  if (!attached) __builtin_trap();
}

}  // namespace devices
