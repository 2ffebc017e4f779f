// UdpSocket: datagrams between internet addresses. One that finds no room at its receiver is lost.
#pragma once

#include "guest/net/inet/ports.h"
#include "guest/net/socket.h"

namespace guest {

class UdpSocket final : public Socket, public InetEnd {
 public:
  UdpSocket(Ref<Inode> inode, std::uint32_t flags, SocketKind kind);
  ~UdpSocket() override;
  /// Before anything else. ENOMEM.
  Result<> prepare();

  Result<> bind(const SocketAddress& address) override;
  Result<> connect(const SocketAddress& address) override;
  Result<> shutdown(int how) override;
  Result<SocketAddress> name() override { return address_of(local, kind.family); }
  Result<SocketAddress> peer_name() override;
  Result<std::size_t> send(const Parts& from, Outgoing& how) override;
  Result<std::size_t> receive(const Parts& to, Incoming& how) override;
  std::uint32_t poll_state() override;
  [[nodiscard]] std::size_t unread() const { return inbox_->used(); }

 private:
  struct Note;
  Result<Endpoint> target_of(const Outgoing& how) const;
  Result<> deliver(UdpSocket& to, const Parts& from, const Endpoint& source,
                   const IpAddress& target);
  void tell_target(const Note& note, Incoming& how) const;
  void disconnect();
  Result<std::size_t> bytes_to_read() override;
  Result<std::size_t> bytes_unsent() override { return std::size_t{0}; }
  void buffers_changed() override { inbox_->set_limit(Socket::options.receive_buffer); }
  Result<> set_own_option(int level, int name, UserAddress value, std::uint32_t bytes) override;
  Result<std::size_t> get_own_option(int level, int name, OptionValue& value) override;

  Ref<Flow> inbox_;
  Forwarder from_inbox_;
  bool read_shut_ = false, write_shut_ = false;
};

Result<Ref<Socket>> make_udp_socket(SocketKind kind, std::uint32_t flags);

}  // namespace guest
