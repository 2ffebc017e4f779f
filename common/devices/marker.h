// Marker: a workload says "start" or "stop", and the device stamps it with the host's clock. The
// text lies in the marker ring before the commit register is written; the stamp is taken first.
#pragma once

#include "devices/device.h"
#include "devices/host.h"
#include "devices/marker_log.h"
#include "devices/ring.h"

namespace devices {

class Marker final : public Device {
 public:
  /// Longer texts are cut.
  static constexpr std::size_t text_max = 256;

  Marker(Host& host, MarkerLog& log, vmi::Rings& rings)
      : host_(host), log_(log), ring_(rings.marker) {}

  std::uint64_t read(std::uint32_t) override { return 0; }
  void write(std::uint32_t offset, std::uint64_t value) override;

 private:
  Host& host_;
  MarkerLog& log_;
  RingEnd ring_;
};

}  // namespace devices
