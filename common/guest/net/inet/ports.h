// Ports: which socket has which address and port, for each protocol. Who connects or sends finds
// the receiver here. A connection that was closed leaves its port taken for a while (TIME_WAIT).
#pragma once

#include "guest/base/list.h"
#include "guest/net/inet/endpoint.h"
#include "guest/net/inet/inet_options.h"
#include "guest/net/socket.h"

namespace guest {

class Ports;

/// What every internet socket has.
class InetEnd {
 public:
  explicit InetEnd(Socket& socket)
      : socket(socket),
        local(any_endpoint(socket.kind.family)),
        remote(any_endpoint(socket.kind.family)) {}
  ~InetEnd() { port_node.unlink(); }

  Socket& socket;
  Endpoint local, remote;  // remote.port == 0: not connected
  bool v6_only = false;
  bool address_chosen = false, port_chosen = false;  // by bind
  bool listening = false;
  ListNode port_node;
  std::uint32_t bound_by = 0;  // uid
  InetOptions options;

  /// bind's rules. EINVAL: it is bound.
  Result<> bind_to(Ports& ports, const SocketAddress& address);
  /// To a port of the machine's choice, unless it is bound.
  Result<> bind_to_any(Ports& ports);
  /// The way from its own address, if it has chosen one.
  [[nodiscard]] Result<Route> route_from_here(const IpAddress& target) const;
  Result<> set_inet_option(int level, int name, UserAddress value, std::uint32_t bytes);
  Result<std::size_t> get_inet_option(int level, int name, OptionValue& value) const;

  /// Does what is sent to `target` come here?
  [[nodiscard]] bool receives(const IpAddress& target) const;
};

class Ports {
 public:
  constexpr explicit Ports(bool streams) : streams_(streams) {}
  /// What is given to those who do not choose.
  static constexpr std::uint16_t first_free = 32768, last_free = 60999;

  /// Gives `end` its local endpoint; port 0: any that is free. EADDRINUSE.
  Result<> bind(InetEnd& end, const Endpoint& wanted);
  /// May it begin to listen beside the others there? EADDRINUSE.
  Result<> check_listen(const InetEnd& end) const;
  /// A connection of a listener's: it has the same port.
  void join(InetEnd& end) { bucket(end.local.port).push_back(end); }
  void leave(InetEnd& end);
  /// From now on its port is taken without it, for a minute.
  void linger(const InetEnd& end);

  /// The listener for a connection to `target`; nullptr.
  InetEnd* find_listener(const Endpoint& target);
  /// Who gets a datagram.
  InetEnd* find_receiver(const Endpoint& target, const Endpoint& from);

  /// Calls `see(end)` for each.
  template <class See>
  void each(See see) {
    for (Bucket& bucket : buckets_)
      for (InetEnd& end : bucket) see(end);
  }
  struct Past {
    Endpoint local, remote;
    std::uint64_t until_ns = 0;
    bool reuse = false, v6_only = false;
  };
  template <class See>
  void each_past(See see) {
    for (const Past& past : past_)
      if (is_waiting(past)) see(past);
  }

 private:
  using Bucket = List<InetEnd, &InetEnd::port_node>;
  static constexpr std::size_t buckets = 64, most_past = 64;  // who closes more forgets the oldest

  Bucket& bucket(std::uint16_t port) { return buckets_[port % buckets]; }
  [[nodiscard]] const Bucket& bucket(std::uint16_t port) const { return buckets_[port % buckets]; }
  [[nodiscard]] bool conflict(const InetEnd& end, const Endpoint& wanted, bool to_listen);
  [[nodiscard]] static bool is_waiting(const Past& past);
  Result<std::uint16_t> free_port(const InetEnd& end, const IpAddress& address);

  const bool streams_;
  Bucket buckets_[buckets];
  Past past_[most_past];
  std::size_t next_past_ = 0;
  std::uint16_t last_given_ = 0;
};

extern Ports tcp_ports, udp_ports;

}  // namespace guest
