// NetlinkSocket: how programs (ip, getifaddrs, getaddrinfo) ask the kernel about the network
// (NETLINK_ROUTE). What is asked is answered at once into the socket's own inbox; nothing can be
// changed, and nobody is told of changes, as there are none.
#pragma once

#include "guest/net/netlink/replies.h"
#include "guest/net/socket.h"

namespace guest {

class NetlinkSocket final : public Socket {
 public:
  NetlinkSocket(Ref<Inode> inode, std::uint32_t flags, SocketKind kind)
      : Socket(std::move(inode), flags, kind), from_inbox_(events_) {}
  ~NetlinkSocket() override { node_.unlink(); }
  /// Before anything else. ENOMEM.
  Result<> prepare();

  Result<> bind(const SocketAddress& address) override;
  Result<> connect(const SocketAddress& address) override;
  Result<SocketAddress> name() override;
  Result<SocketAddress> peer_name() override;
  Result<std::size_t> send(const Parts& from, Outgoing& how) override;
  Result<std::size_t> receive(const Parts& to, Incoming& how) override;
  std::uint32_t poll_state() override;

 private:
  Result<> answer(const abi::NetlinkHeader& asked, const std::uint8_t* rest, std::size_t bytes);
  Result<> reply(const Reply& reply);
  void take_port();
  Result<> set_own_option(int level, int name, UserAddress value, std::uint32_t bytes) override;

  ListNode node_;
  std::uint32_t port_ = 0, groups_ = 0;
  Ref<Flow> inbox_;
  Forwarder from_inbox_;

  friend struct NetlinkPorts;
};

Result<Ref<Socket>> make_netlink_socket(SocketKind kind, std::uint32_t flags);

}  // namespace guest
