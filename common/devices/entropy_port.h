// The entropy device's way to the host: its random bytes.
#pragma once

#include <cstddef>

#include "devices/host.h"

namespace devices {

class EntropyPort {
 public:
  explicit EntropyPort(Host& host) : host_(host) {}
  /// All of them, or the machine ends: a guest must not go on with what is not random.
  void fill(void* data, std::size_t bytes);

 private:
  Host& host_;
};

}  // namespace devices
