// See udp.h.
#include "guest/net/inet/udp.h"

#include <algorithm>

#include "guest/base/progress.h"
#include "guest/net/interface.h"

namespace guest {
namespace {

constexpr std::size_t largest4 = 65507, largest6 = 65527;  // what one IP packet holds

/// What nobody gets must be there all the same.
Result<> throw_away(const Parts& from) {
  std::uint8_t piece[256];
  const std::size_t gone =
      TRY(from.each_source(0, from.bytes(), [&](Source part, std::size_t bytes) {
        return in_parts(bytes, [&](std::size_t done) {
          return (part + done).move_to(piece, std::min(sizeof piece, bytes - done));
        });
      }));
  return gone == from.bytes() ? Result<>() : Errno::fault;
}

}  // namespace

struct UdpSocket::Note final : FlowNote {
  Note(const Endpoint& from, const IpAddress& target) : from(from), target(target) {}
  Endpoint from;
  IpAddress target;
};

UdpSocket::UdpSocket(Ref<Inode> inode, std::uint32_t flags, SocketKind kind)
    : Socket(std::move(inode), flags, kind),
      InetEnd(static_cast<Socket&>(*this)),
      from_inbox_(events_) {}

UdpSocket::~UdpSocket() = default;

Result<> UdpSocket::prepare() {
  inbox_ = TRY(make_ref<Flow>(SocketOptions::usual_buffer));
  from_inbox_.listen(inbox_->arrivals);
  return {};
}

Result<> UdpSocket::bind(const SocketAddress& address) {
  return bind_to(udp_ports, address);
}

void UdpSocket::disconnect() {
  remote = any_endpoint(kind.family);
  if (!address_chosen) local.ip = remote.ip;
  if (port_chosen) return;
  udp_ports.leave(*this);
  local.port = 0;
}

Result<> UdpSocket::connect(const SocketAddress& address) {
  if (address.bytes < sizeof(std::uint16_t)) return Errno::inval;
  if (address.family() == abi::af_unspec) {
    disconnect();
    return {};
  }
  const Endpoint target = TRY(endpoint_of(address, kind.family));
  if (target.ip.is_broadcast() && !Socket::options.broadcast) return Errno::acces;
  const Route route = TRY(route_from_here(target.ip));
  if (!local.port) TRY(udp_ports.bind(*this, {local.ip, 0}));
  local.ip = route.source;
  remote = {route.target, target.port};
  return {};
}

// As Linux, which does it even where it says that it cannot.
Result<> UdpSocket::shutdown(int how) {
  if (how != abi::shut_wr) read_shut_ = true;
  if (how != abi::shut_rd) write_shut_ = true;
  inbox_->arrivals.notify();
  return remote.port ? Result<>() : Errno::notconn;
}

Result<SocketAddress> UdpSocket::peer_name() {
  if (!remote.port) return Errno::notconn;
  return address_of(remote, kind.family);
}

// -- Sending.

Result<Endpoint> UdpSocket::target_of(const Outgoing& how) const {
  if (!how.to) return remote.port ? Result<Endpoint>(remote) : Errno::destaddrreq;
  // An IPv6 socket sends to a plain IPv4 address, too.
  const bool plain4 = how.to->family() == abi::af_inet && kind.family == abi::af_inet6;
  const Endpoint target = TRY(endpoint_of(*how.to, plain4 ? abi::af_inet : kind.family));
  return target.port ? Result<Endpoint>(target) : Errno::inval;
}

Result<> UdpSocket::deliver(UdpSocket& to, const Parts& from, const Endpoint& source,
                            const IpAddress& target) {
  if (!to.inbox_->has_room_for(from.bytes())) return throw_away(from);  // lost
  auto* note = new (std::nothrow) Note(source, target);
  if (!note) return Errno::nobufs;
  auto put = to.inbox_->put_message(from, *note);
  if (!put.ok()) delete note;
  return put;
}

Result<std::size_t> UdpSocket::send(const Parts& from, Outgoing& how) {
  if (from.bytes() > 0xffff) return Errno::msgsize;
  if (how.flags & abi::msg_oob) return Errno::notsup;
  TRY(bind_to_any(udp_ports));
  const Endpoint target = TRY(target_of(how));
  if (target.ip.is_broadcast() && !Socket::options.broadcast) return Errno::acces;
  const Route route = TRY(route_from_here(target.ip));
  if (from.bytes() > (target.ip.is_v4() ? largest4 : largest6)) return Errno::msgsize;
  if (write_shut_) return Errno::pipe;
  if (Errno error = take_error(); error != Errno::ok) return error;
  const Endpoint source = {route.source, local.port}, receiver = {route.target, target.port};
  loopback_traffic.add(from.bytes());
  if (InetEnd* end = udp_ports.find_receiver(receiver, source)) {
    TRY(deliver(static_cast<UdpSocket&>(end->socket), from, source, receiver.ip));
    return from.bytes();
  }
  TRY(throw_away(from));
  if (remote == receiver) {
    error_ = Errno::connrefused;  // it will hear of it
    events_.notify(abi::poll_err);
  }
  return from.bytes();
}

// -- Receiving.

// IP_PKTINFO and IPV6_RECVPKTINFO: to which of this machine's addresses it was sent.
void UdpSocket::tell_target(const Note& note, Incoming& how) const {
  constexpr int packet_info = 8, receive_packet_info6 = 49, packet_info6 = 50;
  auto give = [&](int level, int type, const auto& info) {
    how.own.level = level;
    how.own.type = type;
    how.own.bytes = sizeof info;
    __builtin_memcpy(how.own.data, &info, sizeof info);
  };
  if (kind.family == abi::af_inet && InetEnd::options.get(abi::ipproto_ip, packet_info).value()) {
    abi::PacketInformation info = {loopback_index, {}, {}};
    __builtin_memcpy(info.local, note.target.bytes + 12, sizeof info.local);
    __builtin_memcpy(info.target, note.target.bytes + 12, sizeof info.target);
    give(abi::ipproto_ip, packet_info, info);
  }
  if (kind.family == abi::af_inet6 &&
      InetEnd::options.get(abi::ipproto_ipv6, receive_packet_info6).value()) {
    abi::PacketInformation6 info = {{}, loopback_index};
    __builtin_memcpy(info.target, note.target.bytes, sizeof info.target);
    give(abi::ipproto_ipv6, packet_info6, info);
  }
}

Result<std::size_t> UdpSocket::receive(const Parts& to, Incoming& how) {
  if (how.flags & abi::msg_errqueue) return Errno::again;
  const std::uint64_t until = deadline(Socket::options.receive_timeout_ns);
  for (;;) {
    if (Errno error = take_error(); error != Errno::ok) return error;
    if (!inbox_->empty()) break;
    if (nonblocking(how.flags)) return Errno::again;
    if (read_shut_) return std::size_t{0};
    TRY(wait(events_, abi::poll_in | abi::poll_err | abi::poll_hup, until));
  }
  const auto& note = static_cast<Note&>(*inbox_->first_note());
  const std::size_t whole = note.bytes(), wanted = std::min(whole, to.bytes());
  if (wanted < whole) how.told |= abi::msg_trunc;
  how.from = address_of(note.from, kind.family);
  tell_target(note, how);
  auto copied = inbox_->copy(0, to, 0, wanted);
  if (!(how.flags & abi::msg_peek)) inbox_->drop_message();
  if (!copied.ok() || copied.value() < wanted) return Errno::fault;
  return how.flags & abi::msg_trunc ? whole : wanted;
}

Result<std::size_t> UdpSocket::bytes_to_read() {
  FlowNote* first = inbox_->first_note();
  return first ? first->bytes() : 0;
}

std::uint32_t UdpSocket::poll_state() {
  constexpr std::uint32_t readable = abi::poll_in | abi::poll_rdnorm;
  std::uint32_t state = abi::poll_out | abi::poll_wrnorm | abi::poll_wrband;
  if (error_ != Errno::ok) state |= abi::poll_err;
  if (read_shut_) state |= readable | abi::poll_rdhup;
  if (read_shut_ && write_shut_) state |= abi::poll_hup;
  if (!inbox_->empty()) state |= readable;
  return state;
}

// -- Options.

Result<> UdpSocket::set_own_option(int level, int name, UserAddress value, std::uint32_t bytes) {
  if (level == abi::ipproto_tcp) return Errno::noprotoopt;
  return set_inet_option(level, name, value, bytes);
}

Result<std::size_t> UdpSocket::get_own_option(int level, int name, OptionValue& value) {
  if (level == abi::ipproto_tcp) return Errno::noprotoopt;
  return get_inet_option(level, name, value);
}

Result<Ref<Socket>> make_udp_socket(SocketKind kind, std::uint32_t flags) {
  auto socket = TRY(make_ref<UdpSocket>(TRY(make_socket_inode()), flags, kind));
  TRY(socket->prepare());
  return Ref<Socket>(std::move(socket));
}

}  // namespace guest
