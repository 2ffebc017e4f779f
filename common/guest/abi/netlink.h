// Netlink, as far as programs ask it for interfaces, addresses and routes: layouts and numbers of
// x86-64 Linux.
#pragma once

#include <cstdint>

namespace guest::abi {

/// Protocols: NETLINK_ROUTE, and NETLINK_SOCK_DIAG, of which Linux may have no part either:
/// programs read /proc/net then.
inline constexpr int netlink_route = 0, netlink_sock_diag = 4;

/// struct sockaddr_nl
struct NetlinkAddress {
  std::uint16_t family, padding;
  std::uint32_t port, groups;
};

/// struct nlmsghdr
struct NetlinkHeader {
  std::uint32_t bytes;
  std::uint16_t type, flags;
  std::uint32_t sequence, port;
};
enum NetlinkType : std::uint16_t {
  netlink_error = 2,
  netlink_done = 3,
  new_link = 16,
  get_link = 18,
  new_address = 20,
  get_address = 22,
  get_route = 26,
  get_neighbour = 30,
  get_rule = 34,
};
inline constexpr std::uint16_t netlink_request = 1, netlink_multi = 2, netlink_ack = 4,
                               netlink_dump = 0x300;

/// struct ifinfomsg
struct LinkMessage {
  std::uint8_t family, padding;
  std::uint16_t type;
  std::int32_t index;
  std::uint32_t flags, change;
};
enum LinkAttribute : std::uint16_t {
  link_address = 1,
  link_broadcast = 2,
  link_name = 3,
  link_mtu = 4,
  link_queueing = 6,
  link_queue_length = 13,
  link_state = 16,
  link_mode = 17,
  link_group = 27,
};

/// struct ifaddrmsg
struct AddressMessage {
  std::uint8_t family, prefix_bits, flags, scope;
  std::uint32_t index;
};
enum AddressAttribute : std::uint16_t {
  address_itself = 1,
  address_local = 2,
  address_label = 3,
  address_lifetimes = 6,
  address_flags = 8,
};
inline constexpr std::uint8_t address_permanent = 0x80, scope_host = 254;

}  // namespace guest::abi
