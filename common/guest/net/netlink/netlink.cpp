// See netlink.h.
#include "guest/net/netlink/netlink.h"

#include <algorithm>

#include "guest/net/interface.h"
#include "guest/proc/process.h"

namespace guest {

/// Which port numbers are taken.
struct NetlinkPorts {
  List<NetlinkSocket, &NetlinkSocket::node_> bound;
  std::uint32_t last = static_cast<std::uint32_t>(-4096);

  bool taken(std::uint32_t port) {
    for (NetlinkSocket& socket : bound)
      if (socket.port_ == port) return true;
    return false;
  }
};

namespace {

constinit NetlinkPorts ports;

constexpr std::size_t longest_request = 4096;
constexpr std::size_t header_bytes = sizeof(abi::NetlinkHeader);

Result<abi::NetlinkAddress> netlink_address(const SocketAddress& address) {
  if (address.bytes < sizeof(abi::NetlinkAddress)) return Errno::inval;
  const auto netlink = address.as<abi::NetlinkAddress>();
  if (netlink.family != abi::af_netlink) return Errno::inval;
  return netlink;
}

}  // namespace

Result<> NetlinkSocket::prepare() {
  inbox_ = TRY(make_ref<Flow>(SocketOptions::usual_buffer));
  from_inbox_.listen(inbox_->arrivals);
  return {};
}

// The process's number for its first socket.
void NetlinkSocket::take_port() {
  port_ = static_cast<std::uint32_t>(current_process().pid);
  while (ports.taken(port_)) port_ = --ports.last;
  ports.bound.push_back(*this);
}

Result<> NetlinkSocket::bind(const SocketAddress& address) {
  const auto wanted = TRY(netlink_address(address));
  if (port_ && wanted.port != port_ && wanted.port) return Errno::inval;
  if (!port_ && wanted.port) {
    if (ports.taken(wanted.port)) return Errno::addrinuse;
    port_ = wanted.port;
    ports.bound.push_back(*this);
  }
  if (!port_) take_port();
  groups_ = wanted.groups;
  return {};
}

// There is nobody but the kernel.
Result<> NetlinkSocket::connect(const SocketAddress& address) {
  if (address.family() == abi::af_unspec) return {};
  const auto wanted = TRY(netlink_address(address));
  if (wanted.port) return Errno::connrefused;
  if (!port_) take_port();
  return {};
}

Result<SocketAddress> NetlinkSocket::name() {
  return SocketAddress::of(abi::NetlinkAddress{abi::af_netlink, 0, port_, groups_});
}
Result<SocketAddress> NetlinkSocket::peer_name() {
  return SocketAddress::of(abi::NetlinkAddress{abi::af_netlink, 0, 0, 0});
}

Result<> NetlinkSocket::set_own_option(int level, int, UserAddress value, std::uint32_t bytes) {
  if (level != abi::sol_netlink) return Errno::noprotoopt;
  TRY(option_number(value, bytes));  // how much is told of errors and the like
  return {};
}

// -- Asking.

Result<> NetlinkSocket::reply(const Reply& reply) {
  if (!inbox_->has_room_for(reply.bytes())) return Errno::nobufs;
  auto* note = new (std::nothrow) FlowNote;
  if (!note) return Errno::nobufs;
  auto put = inbox_->put_message(Parts(Source(reply.data()), reply.bytes()), *note);
  if (!put.ok()) delete note;
  return put;
}

Result<> NetlinkSocket::answer(const abi::NetlinkHeader& asked, const std::uint8_t* rest,
                               std::size_t bytes) {
  const bool dump = (asked.flags & abi::netlink_dump) == abi::netlink_dump;
  const int family = bytes ? rest[0] : abi::af_unspec;
  if (kind.protocol != abi::netlink_route)
    return reply(error_reply(asked, -static_cast<int>(Errno::noent)));
  if (!dump) {
    if (asked.type == abi::get_link) {
      abi::LinkMessage link = {};
      if (bytes >= sizeof link) __builtin_memcpy(&link, rest, sizeof link);
      const bool other = link.index != 0 && link.index != loopback_index;
      return reply(other ? error_reply(asked, -static_cast<int>(Errno::nodev))
                         : loopback_link(asked, 0));
    }
    const Errno error = asked.type == abi::get_route ? Errno::netunreach : Errno::notsup;
    return reply(error_reply(asked, -static_cast<int>(error)));
  }
  switch (asked.type) {
    case abi::get_link:
      TRY(reply(loopback_link(asked, abi::netlink_multi)));
      break;
    case abi::get_address:
      for (int each : {abi::af_inet, abi::af_inet6})
        if (family == each || family == abi::af_unspec) TRY(reply(loopback_address(asked, each)));
      break;
    case abi::get_route:  // the way to oneself is in no table that programs look at
    case abi::get_neighbour:
    case abi::get_rule:
      break;
    default:
      return reply(error_reply(asked, -static_cast<int>(Errno::notsup)));
  }
  return reply(done_reply(asked));
}

Result<std::size_t> NetlinkSocket::send(const Parts& from, Outgoing& how) {
  if (how.flags & abi::msg_oob) return Errno::notsup;
  if (how.to && TRY(netlink_address(*how.to)).port) return Errno::connrefused;
  if (from.bytes() > longest_request) return Errno::msgsize;
  if (!port_) take_port();
  Vec<std::uint8_t> request(HeapKind::file);
  TRY(request.reserve(from.bytes() + header_bytes));
  std::size_t length = 0;
  TRY(from.each_source(0, from.bytes(), [&](Source part, std::size_t bytes) {
    auto moved = part.move_to(request.begin() + length, bytes);
    if (moved.ok()) length += moved.value();
    return moved;
  }));
  if (length < from.bytes()) return Errno::fault;
  for (std::size_t at = 0; at + header_bytes <= length;) {
    abi::NetlinkHeader asked;
    __builtin_memcpy(&asked, request.begin() + at, header_bytes);
    if (asked.bytes < header_bytes || asked.bytes > length - at) break;
    asked.port = port_;
    if (asked.flags & abi::netlink_request)
      TRY(answer(asked, request.begin() + at + header_bytes, asked.bytes - header_bytes));
    at += padded(asked.bytes);
  }
  return from.bytes();
}

// -- Hearing.

Result<std::size_t> NetlinkSocket::receive(const Parts& to, Incoming& how) {
  const std::uint64_t until = deadline(options.receive_timeout_ns);
  while (inbox_->empty()) {
    if (nonblocking(how.flags)) return Errno::again;
    TRY(wait(inbox_->arrivals, any_event, until));
  }
  const std::size_t whole = inbox_->first_note()->bytes(), wanted = std::min(whole, to.bytes());
  if (wanted < whole) how.told |= abi::msg_trunc;
  how.from = SocketAddress::of(abi::NetlinkAddress{abi::af_netlink, 0, 0, 0});
  auto copied = inbox_->copy(0, to, 0, wanted);
  if (!(how.flags & abi::msg_peek)) inbox_->drop_message();
  if (!copied.ok() || copied.value() < wanted) return Errno::fault;
  return how.flags & abi::msg_trunc ? whole : wanted;
}

std::uint32_t NetlinkSocket::poll_state() {
  const std::uint32_t readable = inbox_->empty() ? 0 : abi::poll_in | abi::poll_rdnorm;
  return abi::poll_out | abi::poll_wrnorm | abi::poll_wrband | readable;
}

Result<Ref<Socket>> make_netlink_socket(SocketKind kind, std::uint32_t flags) {
  auto socket = TRY(make_ref<NetlinkSocket>(TRY(make_socket_inode()), flags, kind));
  TRY(socket->prepare());
  return Ref<Socket>(std::move(socket));
}

}  // namespace guest
