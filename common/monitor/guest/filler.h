// Filler: gives guest RAM the host's memory while the guest already runs (Fill::ahead). The
// launchers make one once their guest-machine process exists, as no thread may be there when it is
// cloned.
#pragma once

#include <sched.h>

#include <atomic>
#include <cstdint>
#include <thread>

#include "monitor/guest/memory.h"

namespace monitor {

class Filler {
 public:
  /// Begins with what prefault() has left, for Fill::ahead only, on any of `cpus`, whenever these
  /// have nothing else to do.
  Filler(GuestMemory&, Fill, const cpu_set_t& cpus);
  /// Stops it, within milliseconds.
  ~Filler();
  Filler(const Filler&) = delete;
  Filler& operator=(const Filler&) = delete;

  /// Until all is filled; for tests.
  void wait();

 private:
  void fill(GuestMemory&, const cpu_set_t& cpus) const;

  std::atomic<bool> stopped_ = false;
  std::thread thread_;
};

}  // namespace monitor
