// TcpSocket: connections that the host carries. Whoever has one does not see it: only its beginning
// differs. See tcp.h, outside/carried.h.
#include "guest/net/inet/tcp.h"
#include "guest/net/inet/tcp_arrival.h"
#include "guest/net/outside/published.h"

namespace guest {

// -- Connecting.

Result<Route> TcpSocket::way_to(const Endpoint& target) const {
  auto inside = route_from_here(target.ip);
  const bool other_family = kind.family == abi::af_inet6 && v6_only && target.ip.is_v4();
  if (inside.ok() || other_family || !is_outside(target)) return inside;
  return Route{any_endpoint(kind.family).ip, target.ip};
}

void TcpSocket::connect_outside() {
  WaitQueue::remove(retry_);
  waiting_.reset();
  auto made = Carried::make(flow_limit());
  if (!made.ok()) return fail(made.error() == Errno::nfile ? Errno::nfile : Errno::nobufs);
  carried_ = made.release();
  carried_->connect(remote, *this);
}

void TcpSocket::opened(Errno error, const Endpoint& from, const Endpoint&) {
  const Ref<Carried> carried = std::move(carried_);
  if (error != Errno::ok) return fail(error);
  attach(carried->from_host, carried->to_host);
  local.ip = from.ip;
  events_.notify(abi::poll_out | abi::poll_wrnorm);
}

void TcpSocket::abandon_outside() {
  if (Ref<Carried> carried = std::move(carried_)) carried->abandon();
}

// -- Listening.

Result<> TcpSocket::listen(int backlog) {
  const bool again = state_ == State::listening;
  TRY(StreamSocket::listen(backlog));
  if (!again) begin_to_publish(local.port, backlog);
  return {};
}

void TcpSocket::end_listening() {
  listening = false;
  if (state_ != State::listening) return;
  stop_listening();
  end_to_publish(local.port);
}

// Whichever of the host's addresses it came by: to the guest it is its own loopback's.
Ref<Backlog> TcpSocket::arrive(Carried& carried, const Endpoint& client, const Endpoint& server) {
  InetEnd* end = tcp_ports.find_listener({IpAddress::v4(127, 0, 0, 1), server.port});
  if (!end) end = tcp_ports.find_listener({IpAddress::loopback6(), server.port});
  if (!end || !SocketCount::check(1).ok()) return {};
  Ref<Backlog> backlog = static_cast<TcpSocket&>(end->socket).backlog_;
  auto* arrival = new (std::nothrow) TcpArrival(carried.from_host, carried.to_host, client, server);
  if (!arrival) return {};
  backlog->add(*arrival);
  return backlog;
}

}  // namespace guest
