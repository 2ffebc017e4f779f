// MarkerLog: where the marker device puts its stamps, for the launcher to read when the guest has
// ended (monitor/guest/markers.h). It lies where the device runs, and a guest can make any number
// of markers: what does not fit is counted.
#pragma once

#include <cstddef>
#include <cstdint>

namespace devices {

struct MarkerLog {
  static constexpr std::uint32_t capacity = 16384;

  std::uint32_t bytes = 0;  // used ones of `text`
  std::uint32_t lost = 0;
  char text[capacity];  // "HOST_NS TEXT\n" each

  void add(std::uint64_t host_ns, const char* marker, std::size_t marker_bytes);
};

}  // namespace devices
