// Called by the marker device.
#include "devices/marker_log.h"

namespace devices {

void MarkerLog::add(std::uint64_t host_ns, const char* marker, std::size_t marker_bytes) {
  constexpr std::size_t stamp_bytes = 24;
  if (marker_bytes > capacity || marker_bytes + stamp_bytes > capacity - bytes) {
    ++lost;
    return;
  }
  char digits[stamp_bytes];
  int count = 0;
  do {
    digits[count++] = static_cast<char>('0' + host_ns % 10);
    host_ns /= 10;
  } while (host_ns != 0);
  while (count != 0) text[bytes++] = digits[--count];
  text[bytes++] = ' ';
  for (std::size_t i = 0; i < marker_bytes; ++i) text[bytes++] = marker[i];
  text[bytes++] = '\n';
}

}  // namespace devices
