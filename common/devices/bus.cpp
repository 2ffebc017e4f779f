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
  log_stray(address, write);
  return nullptr;
}

/// On the tool's stderr, as far as anybody listens; not for ever.
void Bus::log_stray(std::uint32_t address, bool write) {
  constexpr std::uint64_t most_logged = 16;
  if (counters_.stray_device_accesses > most_logged) return;
  char line[96], *end = line;
  const auto say = [&](const char* text) {
    while (*text != '\0') *end++ = *text++;
  };
  say(write ? "typetwo: the guest kernel wrote to" : "typetwo: the guest kernel read");
  say(" device address 0x");
  for (int shift = 28; shift >= 0; shift -= 4) *end++ = "0123456789abcdef"[address >> shift & 15];
  say(", which none owns\n");
  (void)log_.write(ConsolePort::errors, line, static_cast<std::size_t>(end - line));
}

std::uint64_t Bus::read(std::uint32_t address) {
  const Slot* slot = route(address, false);
  return slot ? slot->device->read(address - slot->base) : 0;
}

void Bus::write(std::uint32_t address, std::uint64_t value) {
  const Slot* slot = route(address, true);
  if (slot) slot->device->write(address - slot->base, value);
}

Waits Bus::waits() const {
  Waits waits;
  for (std::size_t i = 0; i < used_; ++i) table_[i].device->wait_for(waits);
  return waits;
}

void Bus::poll() {
  for (std::size_t i = 0; i < used_; ++i) table_[i].device->poll();
}

}  // namespace devices
