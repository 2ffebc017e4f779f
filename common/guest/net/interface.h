// The network interfaces, as programs ask for them: there is one, the loopback. Asked by ioctl on
// any socket.
#pragma once

#include <cstdint>

#include "guest/base/result.h"

namespace guest {

/// SIOCGIF*. ENODEV: no such interface; ENOTTY: no such request.
Result<std::int64_t> interface_ioctl(std::uint32_t request, std::uint64_t argument);

/// What it has carried: each send counts as one.
struct LoopbackTraffic {
  std::uint64_t bytes = 0, messages = 0;
  void add(std::size_t sent) {
    bytes += sent;
    ++messages;
  }
};
extern LoopbackTraffic loopback_traffic;

inline constexpr std::uint32_t loopback_index = 1, loopback_mtu = 65536;
/// IFF_UP, IFF_LOOPBACK, IFF_RUNNING.
inline constexpr std::uint32_t loopback_flags = 1 | 8 | 0x40;

}  // namespace guest
