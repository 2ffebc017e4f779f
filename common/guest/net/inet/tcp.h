// TcpSocket: streams between internet addresses. There are no segments: on the loopback nothing is
// lost, and what programs see of TCP is who connects to whom, who is told what when one end goes,
// and which ports are taken.
#pragma once

#include "guest/net/inet/ports.h"
#include "guest/net/outside/carried.h"
#include "guest/net/stream_socket.h"

namespace guest {

class TcpSocket final : public StreamSocket, public InetEnd, private Carried::Opener {
 public:
  TcpSocket(Ref<Inode> inode, std::uint32_t flags, SocketKind kind);
  ~TcpSocket() override;

  Result<> bind(const SocketAddress& address) override;
  Result<> connect(const SocketAddress& address) override;
  Result<> listen(int backlog) override;
  Result<> join(Socket&) override { return Errno::notsup; }
  Result<> shutdown(int how) override;
  Result<SocketAddress> name() override { return address_of(local, kind.family); }
  Result<SocketAddress> peer_name() override;
  Result<std::size_t> send(const Parts& from, Outgoing& how) override;
  Result<std::size_t> receive(const Parts& to, Incoming& how) override;

  /// For /proc/net/tcp, states as Linux numbers them.
  static constexpr std::uint8_t listens = 10;
  struct Shown {
    std::uint8_t state;
    std::size_t unsent, unread;
  };
  Shown shown();

  /// A connection from outside to a port of this guest's. Its backlog; null: nobody listens.
  static Ref<Backlog> arrive(Carried& carried, const Endpoint& client, const Endpoint& server);

 private:
  struct TcpArrival;
  [[nodiscard]] Result<Route> way_to(const Endpoint& target) const;
  void connect_outside();
  void opened(Errno error, const Endpoint& from, const Endpoint& to) override;
  void abandon_outside();
  void end_listening();
  void begin_to_connect(const Route& route, std::uint16_t port);
  /// Connects if there is a listener with room; fails if there is none; else goes on waiting.
  void try_to_connect();
  static void room_for_connections(Listener& listener, Events happened);
  void fail(Errno error);
  Result<> connect_result();
  Result<> wait_until_connected(std::uint64_t deadline_ns);
  void disconnect();
  void close_connection();
  Result<std::size_t> receive_bytes(const Parts& to, Incoming& how);

  Result<Ref<StreamSocket>> make_accepted(Arrival& arrival, std::uint32_t flags) override;
  Result<> prepare_to_listen() override;
  Result<> may_send(const Flow& out) override;
  void sent_to_nobody(Flow& out) override;
  [[nodiscard]] std::uint32_t flow_limit() const override;
  Result<> set_own_option(int level, int name, UserAddress value, std::uint32_t bytes) override;
  Result<std::size_t> get_own_option(int level, int name, OptionValue& value) override;

  Listener retry_;        // on the queue of a backlog that is full
  Ref<Backlog> waiting_;  // that one
  Ref<Carried> carried_;  // while it is being connected to the outside
  bool told_ = false;     // the program knows that it is connected
  bool read_shut_ = false;
  bool finished_ = false;  // all has been read: errors that come later are the sender's
};

Result<Ref<Socket>> make_tcp_socket(SocketKind kind, std::uint32_t flags);

}  // namespace guest
