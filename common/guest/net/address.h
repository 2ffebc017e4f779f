// SocketAddress: a struct sockaddr of any family, as it crosses the boundary to a program.
#pragma once

#include <cstring>

#include "guest/abi/sockets.h"
#include "guest/base/result.h"

namespace guest {

struct SocketAddress {
  std::uint32_t bytes = 0;  // 0: there is none
  alignas(8) std::uint8_t data[abi::address_bytes_max];

  [[nodiscard]] int family() const {
    std::uint16_t family = 0;
    if (bytes >= sizeof family) __builtin_memcpy(&family, data, sizeof family);
    return bytes >= sizeof family ? family : abi::af_unspec;
  }
  template <class T>
  [[nodiscard]] T as() const {
    T value;
    __builtin_memcpy(&value, data, sizeof value);
    return value;
  }
  template <class T>
  static SocketAddress of(const T& value) {
    SocketAddress address;
    address.bytes = sizeof value;
    __builtin_memcpy(address.data, &value, sizeof value);
    return address;
  }
};

}  // namespace guest
