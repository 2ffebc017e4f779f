// See host_address.h.
#include "monitor/outside/host_address.h"

#include <netinet/in.h>

#include <cstring>

namespace monitor {
namespace {

constexpr std::uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

sockaddr_storage address_of(const vmi::HostEndpoint& endpoint) {
  sockaddr_storage address{};
  if (std::memcmp(endpoint.ip, v4_prefix, sizeof v4_prefix) == 0) {
    auto& in = reinterpret_cast<sockaddr_in&>(address);
    in.sin_family = AF_INET;
    in.sin_port = htons(endpoint.port);
    std::memcpy(&in.sin_addr, endpoint.ip + sizeof v4_prefix, sizeof in.sin_addr);
  } else {
    auto& in = reinterpret_cast<sockaddr_in6&>(address);
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(endpoint.port);
    std::memcpy(&in.sin6_addr, endpoint.ip, sizeof in.sin6_addr);
  }
  return address;
}

socklen_t bytes_of(const sockaddr_storage& address) {
  return address.ss_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
}

vmi::HostEndpoint endpoint_of(const sockaddr_storage& address) {
  vmi::HostEndpoint endpoint{};
  if (address.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(address);
    std::memcpy(endpoint.ip, v4_prefix, sizeof v4_prefix);
    std::memcpy(endpoint.ip + sizeof v4_prefix, &in.sin_addr, sizeof in.sin_addr);
    endpoint.port = ntohs(in.sin_port);
  } else if (address.ss_family == AF_INET6) {
    const auto& in = reinterpret_cast<const sockaddr_in6&>(address);
    std::memcpy(endpoint.ip, &in.sin6_addr, sizeof endpoint.ip);
    endpoint.port = ntohs(in.sin6_port);
  }
  return endpoint;
}

}  // namespace monitor
