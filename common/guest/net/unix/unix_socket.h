// Local sockets (AF_UNIX): connected ones, whose flows carry a stream or a sequence of packets, and
// datagrams, whose senders share the receiver's flow.
#pragma once

#include "guest/net/stream_socket.h"
#include "guest/net/unix/names.h"

namespace guest {

/// On bytes of a local socket: where a message ends, who sent it, the files it brings.
struct UnixNote final : FlowNote {
  Ref<Rights> rights;
  static constexpr abi::PeerCredentials nobody = {0, 65534, 65534};
  abi::PeerCredentials sender = nobody;  // not asked for
  Ref<UnixName> from;

  /// With what goes with `how`. The files are in a queue from now on.
  static Result<UnixNote*> make(Outgoing& how, bool with_rights, bool with_sender);
  /// For the receiver, who takes them out of the queue unless he only peeks.
  void give(Incoming& how);
};
/// All that is in a flow.
void each_rights_in(Flow& flow, RightsHolder::Visitor& visitor);
void give_up_rights_in(Flow& flow);

/// SOCK_STREAM and SOCK_SEQPACKET.
class UnixStream final : public StreamSocket, public UnixEnd {
 public:
  UnixStream(Ref<Inode> inode, std::uint32_t flags, SocketKind kind)
      : StreamSocket(std::move(inode), flags, kind), UnixEnd(static_cast<Socket&>(*this)) {}
  ~UnixStream() override;

  Result<> bind(const SocketAddress& address) override { return bind_to(address); }
  Result<> connect(const SocketAddress& address) override;
  Result<> join(Socket& other) override;
  Result<> shutdown(int how) override;
  Result<SocketAddress> name() override { return unix_address(UnixEnd::name); }
  Result<SocketAddress> peer_name() override;
  Result<std::size_t> send(const Parts& from, Outgoing& how) override;
  Result<std::size_t> receive(const Parts& to, Incoming& how) override;

  RightsHolder* rights_holder() override { return this; }
  void each_rights(Visitor& visitor) override;
  void give_up_rights() override;
  [[nodiscard]] bool shown_listening() const override { return state_ == State::listening; }
  [[nodiscard]] bool shown_connected() const override { return state_ == State::connected; }

 private:
  struct UnixArrival;
  [[nodiscard]] bool packets() const { return kind.type == abi::sock_seqpacket; }
  Result<std::size_t> send_packet(const Parts& from, Outgoing& how);
  Result<std::size_t> receive_packet(const Parts& to, Incoming& how);
  Result<std::size_t> receive_stream(const Parts& to, Incoming& how);

  Result<Ref<StreamSocket>> make_accepted(Arrival& arrival, std::uint32_t flags) override;
  Result<> prepare_to_listen() override;
  Result<> may_send(const Flow& out) override;
  Result<FlowNote*> note_on(Outgoing& how, bool first) override;
  abi::PeerCredentials peer_credentials() override { return peer_; }
  void buffers_changed() override;

  Ref<UnixName> peer_name_;
  abi::PeerCredentials peer_ = {0, UINT32_MAX, UINT32_MAX};
};

class UnixDatagram;
/// What is sent to a datagram socket; who has it as his peer may outlive it.
struct UnixInbox final : Flow {
  UnixInbox(UnixDatagram& owner, std::uint32_t limit) : Flow(limit), owner(&owner) {}
  UnixDatagram* owner;  // until it is closed
};

/// SOCK_DGRAM.
class UnixDatagram final : public Socket, public UnixEnd {
 public:
  UnixDatagram(Ref<Inode> inode, std::uint32_t flags, SocketKind kind)
      : Socket(std::move(inode), flags, kind),
        UnixEnd(static_cast<Socket&>(*this)),
        from_inbox_(events_),
        to_peer_(events_) {}
  ~UnixDatagram() override;
  /// Before anything else. ENOMEM.
  Result<> prepare();

  Result<> bind(const SocketAddress& address) override { return bind_to(address); }
  Result<> connect(const SocketAddress& address) override;
  Result<> join(Socket& other) override;
  Result<> shutdown(int how) override;
  Result<SocketAddress> name() override { return unix_address(UnixEnd::name); }
  Result<SocketAddress> peer_name() override;
  Result<std::size_t> send(const Parts& from, Outgoing& how) override;
  Result<std::size_t> receive(const Parts& to, Incoming& how) override;
  std::uint32_t poll_state() override;

  RightsHolder* rights_holder() override { return this; }
  void each_rights(Visitor& visitor) override { each_rights_in(*inbox_, visitor); }
  void give_up_rights() override { give_up_rights_in(*inbox_); }
  [[nodiscard]] bool shown_connected() const override { return static_cast<bool>(peer_); }

 private:
  void set_peer(Ref<UnixInbox> peer, Ref<UnixName> name);
  Result<Ref<UnixInbox>> receiver_of(const Outgoing& how);
  Result<> wait_for_room(UnixInbox& inbox, std::size_t bytes, const Outgoing& how);
  /// A socket that is connected hears its peer alone.
  [[nodiscard]] bool hears(const UnixDatagram& sender) const {
    return !peer_ || peer_ == sender.inbox_;
  }
  Result<std::size_t> bytes_to_read() override;
  abi::PeerCredentials peer_credentials() override { return peer_credentials_; }
  void buffers_changed() override;

  Ref<UnixInbox> inbox_, peer_;
  Ref<UnixName> peer_name_;
  abi::PeerCredentials peer_credentials_ = {0, UINT32_MAX, UINT32_MAX};
  Forwarder from_inbox_, to_peer_;
  bool read_shut_ = false, write_shut_ = false;
};

Result<Ref<Socket>> make_unix_socket(SocketKind kind, std::uint32_t flags);

}  // namespace guest
