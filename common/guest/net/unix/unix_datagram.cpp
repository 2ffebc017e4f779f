// Local datagrams: see unix_socket.h. Nothing is lost: who sends to a full inbox waits.
#include <algorithm>

#include "guest/abi/file_flags.h"
#include "guest/net/unix/unix_socket.h"

namespace guest {
namespace {

constexpr std::uint32_t message_reserve = 32;  // of the send buffer, as on Linux

}  // namespace

Result<> UnixDatagram::prepare() {
  inbox_ = TRY(make_ref<UnixInbox>(*this, SocketOptions::usual_buffer));
  from_inbox_.listen(inbox_->arrivals);
  return {};
}

UnixDatagram::~UnixDatagram() {
  if (inbox_) {
    inbox_->owner = nullptr;
    inbox_->reader_gone = true;
    inbox_->refuse();
    inbox_->drop_everything();
  }
  holder_node.unlink();
  in_flight.collect();
}

void UnixDatagram::set_peer(Ref<UnixInbox> peer, Ref<UnixName> name) {
  to_peer_.stop();  // before the peer's inbox goes, perhaps
  peer_ = std::move(peer);
  peer_name_ = std::move(name);
  if (peer_) to_peer_.listen(peer_->departures);
}

Result<> UnixDatagram::connect(const SocketAddress& address) {
  if (address.family() == abi::af_unspec) {
    if (address.bytes < sizeof(std::uint16_t)) return Errno::inval;
    set_peer({}, {});
    inbox_->drop_everything();
    return {};
  }
  if (options.pass_credentials) TRY(bind_to_any());
  auto& other = static_cast<UnixDatagram&>(*TRY(find_unix(address, kind.type)));
  if (!other.hears(*this)) return Errno::perm;
  set_peer(other.inbox_, other.UnixEnd::name);
  return {};
}

Result<> UnixDatagram::join(Socket& with) {
  auto& other = static_cast<UnixDatagram&>(with);
  set_peer(other.inbox_, {});
  other.set_peer(inbox_, {});
  peer_credentials_ = other.peer_credentials_ = own_credentials();
  return {};
}

Result<> UnixDatagram::shutdown(int how) {
  if (how != abi::shut_wr) {
    read_shut_ = true;
    inbox_->end();
    inbox_->refuse();
  }
  if (how != abi::shut_rd) write_shut_ = true;
  events_.notify();
  if (peer_) peer_->departures.notify();  // its own sends that wait there
  return {};
}

Result<SocketAddress> UnixDatagram::peer_name() {
  if (!peer_) return Errno::notconn;
  return unix_address(peer_name_);
}

void UnixDatagram::buffers_changed() {
  inbox_->wants_sender = options.pass_credentials;
}

// -- Sending.

Result<Ref<UnixInbox>> UnixDatagram::receiver_of(const Outgoing& how) {
  if (how.to) {
    auto& other = static_cast<UnixDatagram&>(*TRY(find_unix(*how.to, kind.type)));
    return other.hears(*this) ? Result<Ref<UnixInbox>>(other.inbox_) : Errno::perm;
  }
  if (!peer_) return Errno::notconn;
  if (peer_->owner) return peer_->owner->hears(*this) ? Result<Ref<UnixInbox>>(peer_) : Errno::perm;
  set_peer({}, {});
  return Errno::connrefused;
}

Result<> UnixDatagram::wait_for_room(UnixInbox& inbox, std::size_t bytes, const Outgoing& how) {
  const std::uint64_t until = deadline(options.send_timeout_ns);
  for (;;) {
    if (inbox.reader_gone) return Errno::connrefused;
    if (write_shut_ || inbox.refused) return Errno::pipe;
    if (inbox.has_room_for(bytes)) return {};
    if (nonblocking(how.flags)) return Errno::again;
    TRY(wait(inbox.departures, any_event, until));
  }
}

Result<std::size_t> UnixDatagram::send(const Parts& from, Outgoing& how) {
  if (how.flags & abi::msg_oob) return Errno::notsup;
  if (options.pass_credentials) TRY(bind_to_any());
  if (from.bytes() > options.send_buffer - message_reserve) return Errno::msgsize;
  if (Errno error = take_error(); error != Errno::ok) return error;
  Ref<UnixInbox> inbox = TRY(receiver_of(how));
  TRY(wait_for_room(*inbox, from.bytes(), how));
  UnixNote* note = TRY(UnixNote::make(how, true, options.pass_credentials || inbox->wants_sender));
  note->from = UnixEnd::name;
  auto put = inbox->put_message(from, *note);
  if (!put.ok()) {
    delete note;
    return put.error();
  }
  return from.bytes();
}

// -- Receiving.

Result<std::size_t> UnixDatagram::receive(const Parts& to, Incoming& how) {
  if (how.flags & abi::msg_oob) return Errno::notsup;
  const std::uint64_t until = deadline(options.receive_timeout_ns);
  how.wants_sender = options.pass_credentials;
  Ref<UnixInbox> inbox = inbox_;
  while (inbox->empty()) {
    if (Errno error = take_error(); error != Errno::ok) return error;
    if (nonblocking(how.flags)) return Errno::again;
    if (read_shut_) return std::size_t{0};
    TRY(wait(inbox->arrivals, any_event, until));
  }
  auto& note = static_cast<UnixNote&>(*inbox->first_note());
  const std::size_t whole = note.bytes(), wanted = std::min(whole, to.bytes());
  if (wanted < whole) how.told |= abi::msg_trunc;
  note.give(how);
  if (note.from) how.from = note.from->address();
  auto copied = inbox->copy(0, to, 0, wanted);
  if (!(how.flags & abi::msg_peek)) inbox->drop_message();
  if (!copied.ok() || copied.value() < wanted) return Errno::fault;
  return how.flags & abi::msg_trunc ? whole : wanted;
}

Result<std::size_t> UnixDatagram::bytes_to_read() {
  FlowNote* first = inbox_->first_note();
  return first ? first->bytes() : 0;
}

std::uint32_t UnixDatagram::poll_state() {
  constexpr std::uint32_t readable = abi::poll_in | abi::poll_rdnorm;
  std::uint32_t state = error_ != Errno::ok ? abi::poll_err : 0;
  if (read_shut_) state |= readable | abi::poll_rdhup;
  if (read_shut_ && write_shut_) state |= abi::poll_hup;
  if (!inbox_->empty()) state |= readable;
  if (!peer_ || peer_->reader_gone || peer_->writable())
    state |= abi::poll_out | abi::poll_wrnorm | abi::poll_wrband;
  return state;
}

// -- The family.

Result<Ref<Socket>> make_unix_socket(SocketKind kind, std::uint32_t flags) {
  Ref<Inode> inode = TRY(make_socket_inode());
  if (kind.type != abi::sock_dgram)
    return Ref<Socket>(TRY(make_ref<UnixStream>(std::move(inode), flags, kind)));
  auto datagram = TRY(make_ref<UnixDatagram>(std::move(inode), flags, kind));
  TRY(datagram->prepare());
  return Ref<Socket>(std::move(datagram));
}

}  // namespace guest
