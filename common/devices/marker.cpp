// The marker device; see marker.h.
#include "devices/marker.h"

#include <ctime>

namespace devices {

void Marker::write(std::uint32_t offset, std::uint64_t) {
  if (offset != vmi::marker_commit) return;
  std::uint64_t now = host_.clock_ns(CLOCK_MONOTONIC);
  // Not initialised on purpose: this runs between a workload's clock readings.
  char text[text_max];
  std::size_t length = 0;
  for (RingSpan span = ring_.readable(); span.bytes != 0 && length < text_max;
       span = ring_.readable()) {
    std::uint32_t used = 0;
    while (used < span.bytes && length < text_max) text[length++] = char(span.data[used++]);
    ring_.consume(used);
  }
  ring_.reset_as_consumer();
  while (length > 0 && text[length - 1] == '\n') --length;
  log_.add(now, text, length);
}

}  // namespace devices
