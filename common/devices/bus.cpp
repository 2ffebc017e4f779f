// The device bus: a handful of slots, searched in order. Each access is counted here (counters
// device_accesses, stray_device_accesses), so monitors do not count them again.
#include "devices/bus.h"

namespace devices {

bool Bus::attach(std::uint32_t base, Device& device) {
  if (used_ == slots) return false;
  for (std::size_t i = 0; i < used_; ++i) {
    std::uint32_t other = table_[i].base;
    std::uint32_t distance = base > other ? base - other : other - base;
    if (distance < vmi::device_span) return false;
  }
  table_[used_++] = {base, &device};
  return true;
}

const Bus::Slot* Bus::route(std::uint32_t address, bool write) {
  ++counters_.device_accesses;
  for (std::size_t i = 0; i < used_; ++i) {
    // Unsigned: an address below the base is far above the span.
    if (address - table_[i].base < vmi::device_span) return &table_[i];
  }
  ++counters_.stray_device_accesses;
  host_.stray_access(address, write);
  return nullptr;
}

std::uint64_t Bus::read(std::uint32_t address) {
  const Slot* slot = route(address, false);
  return slot ? slot->device->read(address - slot->base) : 0;
}

void Bus::write(std::uint32_t address, std::uint64_t value) {
  const Slot* slot = route(address, true);
  if (slot) slot->device->write(address - slot->base, value);
}

void Bus::poll() {
  for (std::size_t i = 0; i < used_; ++i) table_[i].device->poll();
}

}  // namespace devices
