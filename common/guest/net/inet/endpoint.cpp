// See endpoint.h.
#include "guest/net/inet/endpoint.h"

#include <algorithm>

namespace guest {
namespace {

constexpr std::size_t short_address6 = 24;  // before there were scopes

std::uint16_t swapped(std::uint16_t port) {
  return __builtin_bswap16(port);
}

}  // namespace

bool IpAddress::is_v4() const {
  static constexpr std::uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::equal(prefix, prefix + sizeof prefix, bytes);
}
bool IpAddress::is_any() const {
  return *this == (is_v4() ? v4(0, 0, 0, 0) : IpAddress{});
}
bool IpAddress::is_broadcast() const {
  return *this == v4(255, 255, 255, 255);
}
bool IpAddress::is_multicast() const {
  return is_v4() ? bytes[12] >= 224 && bytes[12] < 240 : bytes[0] == 0xff;
}
bool IpAddress::is_link_local() const {
  return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}
bool IpAddress::is_loopback() const {
  return is_v4() ? bytes[12] == 127 : *this == loopback6();
}

Endpoint any_endpoint(int family) {
  return {family == abi::af_inet ? IpAddress::v4(0, 0, 0, 0) : IpAddress{}, 0};
}

Result<Endpoint> endpoint_of(const SocketAddress& address, int family) {
  Endpoint endpoint;
  if (family == abi::af_inet) {
    if (address.bytes < sizeof(abi::InternetAddress)) return Errno::inval;
    const auto in = address.as<abi::InternetAddress>();
    // Old programs bind to any address without a family.
    const bool any = in.address[0] + in.address[1] + in.address[2] + in.address[3] == 0;
    if (in.family != abi::af_inet && !(in.family == abi::af_unspec && any))
      return Errno::afnosupport;
    endpoint.ip = IpAddress::v4(in.address[0], in.address[1], in.address[2], in.address[3]);
    endpoint.port = swapped(in.port);
    return endpoint;
  }
  if (address.bytes < short_address6) return Errno::inval;
  const auto in = address.as<abi::InternetAddress6>();
  if (in.family != abi::af_inet6) return Errno::afnosupport;
  __builtin_memcpy(endpoint.ip.bytes, in.address, sizeof in.address);
  endpoint.port = swapped(in.port);
  const bool has_scope = address.bytes >= sizeof in && in.scope != 0;
  if (endpoint.ip.is_link_local() && !has_scope) return Errno::inval;  // on which link?
  return endpoint;
}

SocketAddress address_of(const Endpoint& endpoint, int family) {
  if (family == abi::af_inet) {
    abi::InternetAddress out = {abi::af_inet, swapped(endpoint.port), {}, {}};
    if (endpoint.ip.is_v4()) __builtin_memcpy(out.address, endpoint.ip.bytes + 12, 4);
    return SocketAddress::of(out);
  }
  abi::InternetAddress6 out = {abi::af_inet6, swapped(endpoint.port), 0, {}, 0};
  __builtin_memcpy(out.address, endpoint.ip.bytes, sizeof out.address);
  return SocketAddress::of(out);
}

Result<Route> route_to(const IpAddress& target) {
  const IpAddress home = target.is_v4() ? IpAddress::v4(127, 0, 0, 1) : IpAddress::loopback6();
  if (target.is_any()) return Route{home, home};
  if (target.is_loopback()) return Route{home, target};
  return Errno::netunreach;
}

Result<> check_local(const IpAddress& address) {
  return address.is_any() || address.is_loopback() ? Result<>() : Errno::addrnotavail;
}

}  // namespace guest
