// See replies.h.
#include "guest/net/netlink/replies.h"

#include "guest/abi/sockets.h"
#include "guest/base/panic.h"
#include "guest/net/interface.h"

namespace guest {
namespace {

constexpr std::uint16_t hardware_loopback = 772;      // ARPHRD_LOOPBACK
constexpr std::uint32_t lower_layer_is_up = 0x10000;  // IFF_LOWER_UP

}  // namespace

Reply::Reply(const abi::NetlinkHeader& asked, std::uint16_t type, std::uint16_t flags) {
  put(abi::NetlinkHeader{0, type, flags, asked.sequence, asked.port});
}

void Reply::put(const void* data, std::size_t bytes) {
  KERNEL_ASSERT(used_ + padded(bytes) <= sizeof bytes_);
  __builtin_memcpy(bytes_ + used_, data, bytes);
  used_ += padded(bytes);
  const auto length = static_cast<std::uint32_t>(used_);
  __builtin_memcpy(bytes_, &length, sizeof length);  // NetlinkHeader::bytes
}

void Reply::attribute(std::uint16_t type, const void* data, std::size_t bytes) {
  std::uint16_t head[2] = {0, type};
  head[0] = static_cast<std::uint16_t>(sizeof head + bytes);
  put(head);
  put(data, bytes);
}

Reply loopback_link(const abi::NetlinkHeader& asked, std::uint16_t flags) {
  constexpr std::uint8_t no_hardware[6] = {}, unknown = 0;
  constexpr std::uint32_t queue_length = 1000, group = 0;
  Reply link(asked, abi::new_link, flags);
  link.put(abi::LinkMessage{abi::af_unspec, 0, hardware_loopback, loopback_index,
                            loopback_flags | lower_layer_is_up, 0});
  link.attribute(abi::link_name, "lo");
  link.attribute(abi::link_queue_length, queue_length);
  link.attribute(abi::link_state, unknown);
  link.attribute(abi::link_mode, unknown);
  link.attribute(abi::link_mtu, loopback_mtu);
  link.attribute(abi::link_group, group);
  link.attribute(abi::link_queueing, "noqueue");
  link.attribute(abi::link_address, no_hardware);
  link.attribute(abi::link_broadcast, no_hardware);
  return link;
}

Reply loopback_address(const abi::NetlinkHeader& asked, int family) {
  constexpr std::uint8_t home4[4] = {127, 0, 0, 1};
  constexpr std::uint8_t home6[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  constexpr std::uint32_t for_ever = 0xffff'ffff, flags = abi::address_permanent;
  const bool v4 = family == abi::af_inet;
  Reply reply(asked, abi::new_address, abi::netlink_multi);
  reply.put(abi::AddressMessage{static_cast<std::uint8_t>(family),
                                static_cast<std::uint8_t>(v4 ? 8 : 128), abi::address_permanent,
                                abi::scope_host, loopback_index});
  if (v4) {
    reply.attribute(abi::address_itself, home4);
    reply.attribute(abi::address_local, home4);
    reply.attribute(abi::address_label, "lo");
  } else {
    reply.attribute(abi::address_itself, home6);
  }
  reply.attribute(abi::address_flags, flags);
  const std::uint32_t lifetimes[] = {for_ever, for_ever, 0, 0};
  reply.attribute(abi::address_lifetimes, lifetimes);
  return reply;
}

Reply error_reply(const abi::NetlinkHeader& asked, std::int32_t error) {
  Reply reply(asked, abi::netlink_error, 0);
  reply.put(error);
  reply.put(asked);
  return reply;
}

Reply done_reply(const abi::NetlinkHeader& asked) {
  Reply reply(asked, abi::netlink_done, abi::netlink_multi);
  reply.put(std::int32_t{0});
  return reply;
}

}  // namespace guest
