// TcpSocket: connecting and closing. See tcp.h.
#include "guest/net/inet/tcp.h"

#include "guest/base/clock.h"
#include "guest/net/inet/tcp_arrival.h"
#include "guest/net/outside/published.h"

namespace guest {

TcpSocket::TcpSocket(Ref<Inode> inode, std::uint32_t flags, SocketKind kind)
    : StreamSocket(std::move(inode), flags, kind),
      InetEnd(static_cast<Socket&>(*this)),
      retry_(room_for_connections, this) {}

TcpSocket::~TcpSocket() {
  WaitQueue::remove(retry_);
  abandon_outside();
  end_listening();
  if (state_ == State::connected) close_connection();
}

// What was sent is there already. Only who leaves bytes unread, or asks for it (SO_LINGER 0),
// resets the connection; else the other may still write once, in vain.
void TcpSocket::close_connection() {
  const auto& linger = Socket::options.linger;
  const bool reset = in_->used() > 0 || (linger.on && linger.seconds == 0);
  const bool closes_first = !(in_->ended && !read_shut_);
  in_->reader_gone = true;
  if (reset) {
    out_->error = Errno::connreset;
    in_->refuse();
  } else if (closes_first) {
    tcp_ports.linger(*this);
  }
  out_->end();
  in_->drop_everything();
}

Result<> TcpSocket::bind(const SocketAddress& address) {
  if (state_ != State::fresh) return Errno::inval;
  return bind_to(tcp_ports, address);
}

// -- Listening.

Result<> TcpSocket::prepare_to_listen() {
  TRY(bind_to_any(tcp_ports));
  TRY(tcp_ports.check_listen(*this));
  state_ = State::fresh;
  listening = true;
  return {};
}

Result<Ref<StreamSocket>> TcpSocket::make_accepted(Arrival& arrival, std::uint32_t flags) {
  const auto& client = static_cast<TcpArrival&>(arrival);
  auto accepted = TRY(make_ref<TcpSocket>(TRY(make_socket_inode()), flags, kind));
  accepted->Socket::options = Socket::options;
  accepted->InetEnd::options = InetEnd::options;
  accepted->v6_only = v6_only;
  accepted->bound_by = bound_by;
  accepted->local = client.server;
  accepted->remote = client.client;
  accepted->told_ = true;
  tcp_ports.join(*accepted);
  return Ref<StreamSocket>(std::move(accepted));
}

// -- Connecting.

Result<> TcpSocket::connect(const SocketAddress& address) {
  if (address.bytes < sizeof(std::uint16_t)) return Errno::inval;
  if (address.family() == abi::af_unspec) {
    if (state_ == State::connected) error_ = Errno::connreset;
    disconnect();
    return {};
  }
  const std::uint64_t until = deadline(Socket::options.send_timeout_ns);
  if (state_ == State::connected && told_) return Errno::isconn;
  if (state_ == State::listening) return Errno::isconn;
  if (state_ == State::connecting && nonblocking(0)) return Errno::already;
  if (state_ != State::fresh) return wait_until_connected(until);

  const Endpoint target = TRY(endpoint_of(address, kind.family));
  const Route route = TRY(way_to(target));
  begin_to_connect(route, target.port);
  if (nonblocking(0)) return Errno::inprogress;  // also if it has come to an end
  return wait_until_connected(until);
}

void TcpSocket::begin_to_connect(const Route& route, std::uint16_t port) {
  told_ = finished_ = read_shut_ = false;
  if (!local.port) {
    auto bound = tcp_ports.bind(*this, {route.source, 0});
    if (!bound.ok()) return fail(Errno::addrnotavail);
  }
  local.ip = route.source;
  remote = {route.target, port};
  state_ = State::connecting;
  try_to_connect();
}

void TcpSocket::try_to_connect() {
  InetEnd* end = tcp_ports.find_listener(remote);
  if (!end) return is_outside(remote) ? connect_outside() : fail(Errno::connrefused);
  Ref<Backlog> backlog = static_cast<TcpSocket&>(end->socket).backlog_;
  if (backlog->full()) {
    WaitQueue::remove(retry_);
    waiting_ = backlog;
    waiting_->departed.add(retry_);
    return;
  }
  WaitQueue::remove(retry_);
  waiting_.reset();
  auto connected = connect_to<TcpArrival>(*backlog, local, remote);
  if (!connected.ok()) return fail(Errno::nobufs);
  events_.notify(abi::poll_out | abi::poll_wrnorm);
}

// In the midst of an accept, or of a listener's end.
void TcpSocket::room_for_connections(Listener& listener, Events) {
  auto& self = *static_cast<TcpSocket*>(listener.owner);
  Ref<Backlog> kept = self.waiting_;  // its queue is being told
  self.try_to_connect();
}

void TcpSocket::fail(Errno error) {
  WaitQueue::remove(retry_);
  waiting_.reset();
  abandon_outside();
  error_ = error;
  state_ = State::failed;
  events_.notify();
}

// What a connect that is over tells its program, once.
Result<> TcpSocket::connect_result() {
  if (state_ == State::connected) {
    told_ = true;
    return {};
  }
  const Errno error = take_error();
  disconnect();
  return error != Errno::ok ? error : Errno::connaborted;
}

Result<> TcpSocket::wait_until_connected(std::uint64_t deadline_ns) {
  constexpr std::uint64_t patience_ns = 127 * ns_per_second;  // as long as Linux tries
  const std::uint64_t gives_up = monotonic_ns() + patience_ns;
  while (state_ == State::connecting) {
    auto slept = events_.wait(any_event, deadline_ns ? deadline_ns : gives_up);
    if (slept.error() == Errno::timedout) {
      if (deadline_ns) return Errno::inprogress;
      fail(Errno::timedout);
    } else if (!slept.ok()) {
      return deadline_ns ? Errno::intr : slept.error();
    }
  }
  return connect_result();
}

// Back to what it was; a port that it chose itself stays its own.
void TcpSocket::disconnect() {
  WaitQueue::remove(retry_);
  waiting_.reset();
  abandon_outside();
  end_listening();
  if (state_ == State::connected) {
    out_->error = Errno::connreset;
    in_->reader_gone = true;
    in_->refuse();
    out_->end();
    in_->drop_everything();
    in_->end();  // of its own calls that sleep
    out_->refuse();
    from_peer_.stop();
    to_peer_.stop();
    in_.reset();
    out_.reset();
  }
  remote = any_endpoint(kind.family);
  if (!port_chosen) {
    tcp_ports.leave(*this);
    local.port = 0;
  }
  if (!address_chosen) local.ip = remote.ip;
  state_ = State::fresh;
  told_ = false;
}

Result<SocketAddress> TcpSocket::peer_name() {
  if (state_ != State::connected) return Errno::notconn;
  return address_of(remote, kind.family);
}

Result<Ref<Socket>> make_tcp_socket(SocketKind kind, std::uint32_t flags) {
  return Ref<Socket>(TRY(make_ref<TcpSocket>(TRY(make_socket_inode()), flags, kind)));
}

}  // namespace guest
