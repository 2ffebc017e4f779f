// Local sockets that connect: see unix_socket.h.
#include "guest/abi/file_flags.h"
#include "guest/net/unix/unix_socket.h"
#include "guest/proc/process.h"

namespace guest {

/// With what its listener will know of it.
struct UnixStream::UnixArrival final : Arrival {
  UnixArrival(Ref<Flow> in, Ref<Flow> out, Ref<UnixName> client)
      : Arrival(std::move(in), std::move(out)),
        client(std::move(client)),
        sender(own_credentials()) {
    this->in->wants_sender = true;  // perhaps
  }
  Ref<UnixName> client;
  abi::PeerCredentials sender;
};

// Who has data left unread that the other will never know to be lost tells him so.
UnixStream::~UnixStream() {
  if (state_ == State::listening) stop_listening();
  if (state_ == State::connected) {
    if (!in_->empty()) out_->error = Errno::connreset;
    out_->end();
    in_->reader_gone = true;
    in_->end();
    in_->refuse();
    in_->drop_everything();
  }
  holder_node.unlink();
  in_flight.collect();
}

Result<> UnixStream::connect(const SocketAddress& address) {
  if (options.pass_credentials) TRY(bind_to_any());
  const std::uint64_t until = deadline(options.send_timeout_ns);
  for (;;) {
    auto* end = TRY(find_unix(address, kind.type));
    auto& listener = static_cast<UnixStream&>(*end);
    if (state_ == State::connected) return Errno::isconn;
    if (state_ != State::fresh) return Errno::inval;
    if (listener.state_ != State::listening || !listener.backlog_->open())
      return Errno::connrefused;
    Ref<Backlog> backlog = listener.backlog_;
    if (!backlog->full()) {
      TRY(connect_to<UnixArrival>(*backlog, UnixEnd::name));
      peer_name_ = listener.UnixEnd::name;
      peer_ = listener.peer_;
      in_->wants_sender = options.pass_credentials;
      return {};
    }
    if (nonblocking(0)) return Errno::again;
    TRY(wait(backlog->departed, any_event, until));
  }
}

Result<> UnixStream::join(Socket& other) {
  TRY(StreamSocket::join(other));
  peer_ = static_cast<UnixStream&>(other).peer_ = own_credentials();
  return {};
}

Result<> UnixStream::prepare_to_listen() {
  if (!UnixEnd::name) return Errno::inval;
  peer_ = own_credentials();
  return {};
}

Result<Ref<StreamSocket>> UnixStream::make_accepted(Arrival& arrival, std::uint32_t flags) {
  auto& client = static_cast<UnixArrival&>(arrival);
  auto accepted = TRY(make_ref<UnixStream>(TRY(make_socket_inode()), flags, kind));
  accepted->UnixEnd::name = UnixEnd::name;
  accepted->peer_name_ = client.client;
  accepted->peer_ = client.sender;
  accepted->options.pass_credentials = options.pass_credentials;
  arrival.in->wants_sender = options.pass_credentials;
  return Ref<StreamSocket>(std::move(accepted));
}

Result<> UnixStream::shutdown(int how) {
  const bool reading = how != abi::shut_wr, writing = how != abi::shut_rd;
  if (state_ == State::listening && reading) backlog_->stop();
  if (state_ != State::connected) return {};
  if (reading) {
    in_->end();
    in_->refuse();
  }
  if (writing) {
    out_->end();
    out_->refuse();
  }
  return {};
}

Result<SocketAddress> UnixStream::peer_name() {
  if (state_ != State::connected) return Errno::notconn;
  return unix_address(peer_name_);
}

void UnixStream::buffers_changed() {
  StreamSocket::buffers_changed();
  if (in_) in_->wants_sender = options.pass_credentials;
}

// -- Files in its queues.

void UnixStream::each_rights(Visitor& visitor) {
  if (in_) each_rights_in(*in_, visitor);
  if (state_ != State::listening) return;
  for (Arrival& arrival : backlog_->arrivals()) each_rights_in(*arrival.in, visitor);
}

void UnixStream::give_up_rights() {
  if (in_) give_up_rights_in(*in_);
  if (state_ != State::listening) return;
  for (Arrival& arrival : backlog_->arrivals()) give_up_rights_in(*arrival.in);
}

}  // namespace guest
