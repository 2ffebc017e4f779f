// See stream_socket.h. Runs in system calls of the sockets' users.
#include "guest/net/stream_socket.h"

#include "guest/base/progress.h"

namespace guest {

// -- Backlog.

void Arrival::refuse() {
  out->error = Errno::connreset;
  out->end();
  in->reader_gone = true;
  in->refuse();
  in->drop_everything();
}

void Backlog::set_most(int most) {
  most_ = std::min(static_cast<std::uint32_t>(most), largest);
}

void Backlog::add(Arrival& arrival) {
  arrivals_.push_back(arrival);
  ++count_;
  arrived.notify(abi::poll_in | abi::poll_rdnorm);
}

void Backlog::remove(Arrival& arrival) {
  arrival.node.unlink();
  --count_;
  departed.notify();
}

void Backlog::stop() {
  open_ = false;
  arrived.notify();
  departed.notify();
}

void Backlog::close() {
  while (Arrival* arrival = arrivals_.pop_front()) {
    --count_;
    arrival->refuse();
    delete arrival;
  }
  stop();
}

// -- Connections.

void StreamSocket::attach(Ref<Flow> in, Ref<Flow> out) {
  in_ = std::move(in);
  out_ = std::move(out);
  from_peer_.listen(in_->arrivals);
  to_peer_.listen(out_->departures);
  state_ = State::connected;
}

Result<> StreamSocket::join(Socket& other) {
  auto& peer = static_cast<StreamSocket&>(other);  // of the same kind
  Ref<Flow> there = TRY(make_ref<Flow>(flow_limit())), back = TRY(make_ref<Flow>(flow_limit()));
  attach(back, there);
  peer.attach(there, back);
  return {};
}

Result<> StreamSocket::listen(int most) {
  if (state_ == State::listening) {
    backlog_->set_most(most);
    return {};
  }
  if (state_ != State::fresh && state_ != State::failed) return Errno::inval;
  TRY(prepare_to_listen());
  backlog_ = TRY(make_ref<Backlog>(most));
  from_peer_.listen(backlog_->arrived);
  state_ = State::listening;
  return {};
}

void StreamSocket::stop_listening() {
  state_ = State::fresh;
  from_peer_.stop();
  Ref<Backlog> backlog = std::move(backlog_);
  backlog->close();
}

Result<Ref<Socket>> StreamSocket::accept(std::uint32_t flags) {
  if (state_ != State::listening) return Errno::inval;
  const std::uint64_t until = deadline(options.receive_timeout_ns);
  Ref<Backlog> backlog = backlog_;
  while (!backlog->first()) {
    if (!backlog->open()) return Errno::inval;
    if (nonblocking(0)) return Errno::again;
    TRY(wait(backlog->arrived, any_event, until));
  }
  Arrival& arrival = *backlog->first();
  Ref<StreamSocket> accepted = TRY(make_accepted(arrival, flags));
  accepted->attach(std::move(arrival.in), std::move(arrival.out));
  backlog->remove(arrival);
  delete &arrival;
  return Ref<Socket>(std::move(accepted));
}

// -- Bytes.

Result<bool> StreamSocket::wait_for_bytes(Flow& in, const Incoming& how,
                                          std::uint64_t deadline_ns) {
  for (;;) {
    if (!in.empty()) return true;
    if (Errno error = take_error(); error != Errno::ok) return error;
    if (in.ended) return false;
    if (nonblocking(how.flags)) return Errno::again;
    TRY(wait(in.arrivals, any_event, deadline_ns));
  }
}

Result<> StreamSocket::wait_for_room(Flow& out, std::size_t message, const Outgoing& how,
                                     std::uint64_t deadline_ns, bool part_is_sent) {
  for (;;) {
    if (part_is_sent && has_error()) return Errno::pipe;
    TRY(may_send(out));
    if (message ? out.has_room_for(message) : out.room() > 0) return {};
    if (nonblocking(how.flags)) return Errno::again;
    TRY(wait(out.departures, any_event, deadline_ns));
  }
}

Result<std::size_t> StreamSocket::send_bytes(const Parts& from, Outgoing& how) {
  Ref<Flow> out = out_;
  TRY(may_send(*out));
  const std::uint64_t until = deadline(options.send_timeout_ns);
  return in_parts(from.bytes(), [&](std::size_t done) -> Result<std::size_t> {
    TRY(wait_for_room(*out, 0, how, until, done > 0));
    const std::size_t left = from.bytes() - done;
    if (out->reader_gone) {
      sent_to_nobody(*out);
      return left;
    }
    FlowNote* note = TRY(note_on(how, done == 0));
    auto put = out->put(from, done, left, note);
    if (note && (!put.ok() || put.value() == 0)) delete note;
    return put;
  });
}

// -- What is asked about it.

std::uint32_t StreamSocket::poll_state() {
  constexpr std::uint32_t readable = abi::poll_in | abi::poll_rdnorm;
  const std::uint32_t writable =
      abi::poll_out | abi::poll_wrnorm | (kind.family == abi::af_unix ? abi::poll_wrband : 0);
  const std::uint32_t error = has_error() ? abi::poll_err : 0;
  switch (state_) {
    case State::listening:
      return error | (backlog_->first() ? readable : 0);
    case State::connecting:
      return error;
    case State::fresh:
      return error | abi::poll_hup | writable;
    case State::failed:
      return error | abi::poll_hup | abi::poll_rdhup | readable | writable;
    case State::connected:
      break;
  }
  std::uint32_t state = error;
  if (in_->ended) state |= abi::poll_rdhup | readable;
  if (in_->ended && out_->refused) state |= abi::poll_hup;
  if (!in_->empty()) state |= readable;
  if (out_->writable() || out_->refused) state |= writable;
  return state;
}

bool StreamSocket::has_error() const {
  return error_ != Errno::ok || (in_ && in_->error != Errno::ok);
}

Errno StreamSocket::take_error() {
  if (Errno own = Socket::take_error(); own != Errno::ok || !in_) return own;
  return std::exchange(in_->error, Errno::ok);
}

void StreamSocket::buffers_changed() {
  if (out_) out_->set_limit(flow_limit());
}

Result<std::size_t> StreamSocket::bytes_to_read() {
  if (state_ == State::listening) return Errno::inval;
  return in_ ? in_->used() : 0;
}

Result<std::size_t> StreamSocket::bytes_unsent() {
  if (state_ == State::listening) return Errno::inval;
  return out_ ? out_->used() : 0;
}

}  // namespace guest
