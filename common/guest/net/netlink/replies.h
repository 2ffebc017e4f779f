// Reply: a netlink message from the kernel, in the making; and those that tell of the loopback.
#pragma once

#include <cstddef>

#include "guest/abi/netlink.h"

namespace guest {

/// Messages and their parts begin at multiples of 4.
constexpr std::size_t padded(std::size_t bytes) {
  return (bytes + 3) & ~std::size_t{3};
}

class Reply {
 public:
  Reply(const abi::NetlinkHeader& asked, std::uint16_t type, std::uint16_t flags);
  void put(const void* data, std::size_t bytes);  // padded to 4
  template <class T>
  void put(const T& value) {
    put(static_cast<const void*>(&value), sizeof value);
  }
  void attribute(std::uint16_t type, const void* data, std::size_t bytes);
  template <class T>
  void attribute(std::uint16_t type, const T& value) {
    attribute(type, static_cast<const void*>(&value), sizeof value);
  }
  [[nodiscard]] const std::uint8_t* data() const { return bytes_; }
  [[nodiscard]] std::size_t bytes() const { return used_; }

 private:
  alignas(4) std::uint8_t bytes_[256] = {};
  std::size_t used_ = 0;
};

Reply loopback_link(const abi::NetlinkHeader& asked, std::uint16_t flags);
/// Its address of that family.
Reply loopback_address(const abi::NetlinkHeader& asked, int family);
/// `error`: negative, or 0 for an acknowledgement.
Reply error_reply(const abi::NetlinkHeader& asked, std::int32_t error);
Reply done_reply(const abi::NetlinkHeader& asked);

}  // namespace guest
