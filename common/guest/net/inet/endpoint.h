// Endpoint: an internet address and a port, of either family: IPv4 ones in the form that IPv6 has
// for them (::ffff:a.b.c.d). And the one question about the way to an address: who carries it
// there.
#pragma once

#include "guest/net/address.h"

namespace guest {

struct IpAddress {
  std::uint8_t bytes[16] = {};
  bool operator==(const IpAddress&) const = default;

  static IpAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}};
  }
  static IpAddress loopback6() { return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}; }
  [[nodiscard]] bool is_v4() const;
  [[nodiscard]] bool is_any() const;  // of its family
  [[nodiscard]] bool is_broadcast() const;
  [[nodiscard]] bool is_multicast() const;
  [[nodiscard]] bool is_link_local() const;  // of IPv6
  [[nodiscard]] bool is_loopback() const;
};

struct Endpoint {
  IpAddress ip;
  std::uint16_t port = 0;  // 0: none
  bool operator==(const Endpoint&) const = default;
};

Endpoint any_endpoint(int family);
/// As bind and connect check an address that a socket of `family` gets. EINVAL: too short;
/// EAFNOSUPPORT.
Result<Endpoint> endpoint_of(const SocketAddress& address, int family);
/// To an IPv4 socket an IPv6 peer from outside is 0.0.0.0: its last bytes are no IPv4 address.
SocketAddress address_of(const Endpoint& endpoint, int family);

/// Who takes what is sent to an address there: the loopback, sockets of this guest. What streams
/// reach beyond is no route (outside/published.h).
struct Route {
  IpAddress source;  // for who has not chosen one
  IpAddress target;  // "any" means this machine
};
/// ENETUNREACH: nobody does.
Result<Route> route_to(const IpAddress& target);
/// May a socket have that address of its own? EADDRNOTAVAIL.
Result<> check_local(const IpAddress& address);

}  // namespace guest
