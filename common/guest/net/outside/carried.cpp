// See carried.h. look_again() does whatever is to be done and is not under way: it is called
// whenever something has changed, in system calls and in interrupts, and sleeps nowhere.
#include "guest/net/outside/carried.h"

#include "guest/base/clock.h"
#include "guest/sched/scheduler.h"

namespace guest {
namespace {

constexpr std::uint64_t patience_ns = 60 * ns_per_second;

}  // namespace

constinit std::uint64_t Carried::progress = 0;

vmi::HostEndpoint host_endpoint(const Endpoint& endpoint) {
  vmi::HostEndpoint made = {};
  __builtin_memcpy(made.ip, endpoint.ip.bytes, sizeof made.ip);
  made.port = endpoint.port;
  return made;
}

Endpoint endpoint_of(const vmi::HostEndpoint& endpoint) {
  Endpoint made;
  __builtin_memcpy(made.ip.bytes, endpoint.ip, sizeof endpoint.ip);
  made.port = endpoint.port;
  return made;
}

Carried::All& Carried::all() {
  static constinit All all;
  return all;
}

bool Carried::any_unsent() {
  for (const Carried& one : all())
    if (one.unsent()) return true;
  return false;
}

Result<Ref<Carried>> Carried::make(std::uint32_t flow_limit) {
  Ref<Flow> to_host = TRY(make_ref<Flow>(flow_limit)), from_host = TRY(make_ref<Flow>(flow_limit));
  Ref<Carried> made = TRY(make_ref<Carried>(std::move(to_host), std::move(from_host)));
  made->number_ = TRY(socket_device.take_number(*made));
  all().push_back(*made);
  return made;
}

Carried::Carried(Ref<Flow> to_host, Ref<Flow> from_host)
    : to_host(std::move(to_host)),
      from_host(std::move(from_host)),
      sender_(flow_changed, this),
      receiver_(flow_changed, this),
      patience_(patience_is_over, this) {}

Carried::~Carried() {
  WaitQueue::remove(sender_);
  WaitQueue::remove(receiver_);
  scheduler.cancel_timer(patience_);
  all_node_.unlink();
  if (number_) socket_device.free_number(number_);
}

void Carried::flow_changed(Listener& listener, Events) {
  static_cast<Carried*>(listener.owner)->look_again();
}

bool Carried::request(vmi::SocketOperation operation, std::uint32_t count,
                      const ByteRing::Piece* pieces) {
  vmi::SocketRequest made = {};
  made.operation = operation;
  made.end = number_;
  made.other = listener_;
  made.peer = peer_;
  made.count = count;
  for (std::uint32_t i = 0; pieces && i < count; ++i)
    made.pieces[i] = {pieces[i].at, pieces[i].bytes};
  return socket_device.request(made, *this);
}

// -- Its beginning.

void Carried::connect(const Endpoint& peer, Opener& opener) {
  peer_ = host_endpoint(peer);
  begin(vmi::socket_connect, opener);
}

void Carried::accept(std::uint16_t listener, Opener& opener) {
  listener_ = listener;
  begin(vmi::socket_accept, opener);
}

void Carried::begin(vmi::SocketOperation how, Opener& opener) {
  how_ = how;
  opener_ = &opener;
  self_ = Ref<Carried>(this);
  state_ = State::connecting;
  look_again();
}

void Carried::opened() {
  self_ = Ref<Carried>(this);
  state_ = State::open;
  to_host->arrivals.add(sender_);
  from_host->departures.add(receiver_);
  look_again();
}

void Carried::abandon() {
  const Ref<Carried> kept(this);
  opener_ = nullptr;
  if (state_ == State::connecting && asked_) {
    close(true);
    return look_again();
  }
  state_ = State::closed;
  self_.reset();
}

// -- What there is to do.

void Carried::look_again() {
  if (looking_) return;  // a flow tells of what this does
  const Ref<Carried> kept(this);
  looking_ = true;
  if (state_ == State::connecting && !asked_) asked_ = request(how_);
  if (state_ == State::open) {
    const bool reset = to_host->error != Errno::ok || from_host->refused;
    send_more();
    if (!reset && !from_host->reader_gone) receive_more();
    const bool closed = from_host->reader_gone && to_host->ended;
    if (reset || (closed && to_host->used() == 0))
      close(reset);
    else
      end_sending();
    if (closed && state_ == State::open && !patience_.armed())
      scheduler.set_timer(patience_, monotonic_ns() + patience_ns);
  }
  if (state_ == State::broken && from_host->reader_gone) close(false);
  if (state_ == State::closing && !asked_)
    asked_ = request(reset_ ? vmi::socket_reset : vmi::socket_close);
  looking_ = false;
}

void Carried::send_more() {
  if (sending_ || to_host->used() == 0) return;
  ByteRing::Piece pieces[vmi::most_pieces];
  const std::uint32_t count = to_host->show(pieces, vmi::most_pieces);
  sending_ = request(vmi::socket_send, count, pieces);
}

void Carried::receive_more() {
  if (receiving_ || ended_) return;
  ByteRing::Piece pieces[vmi::most_pieces];
  auto count = from_host->lend(pieces, vmi::most_pieces, wanted_);
  if (!count.ok()) return socket_device.wait(*this);  // for memory
  if (count.value() == 0) return;
  receiving_ = request(vmi::socket_receive, count.value(), pieces);
  if (!receiving_) from_host->came(0);
}

void Carried::end_sending() {
  if (end_sent_ || sending_ || !to_host->ended || to_host->used() > 0) return;
  end_sent_ = request(vmi::socket_end_sending);
}

void Carried::close(bool reset) {
  reset_ = reset;
  state_ = State::closing;
  asked_ = false;
}

// As when the peer of a connection within the guest resets it.
void Carried::break_off(Errno error) {
  state_ = State::broken;
  cannot_send(error);
  from_host->end();
}

// What has come before may still be received, also from the host: the end is there.
void Carried::cannot_send(Errno error) {
  from_host->error = error;
  to_host->refuse();
  if (!sending_) to_host->drop_everything();  // else the host may still read it
  from_host->arrivals.notify();
}

// Or those who read nothing could have all numbers, for ever.
void Carried::patience_is_over(Timer& timer) {
  auto& self = *static_cast<Carried*>(timer.owner);
  if (self.state_ == State::open) self.close(true);
  self.look_again();
}

// -- Answers.

void Carried::answered(const vmi::SocketAnswer& answer) {
  const Ref<Carried> kept(this);
  const Errno error = answer.result < 0 ? static_cast<Errno>(-answer.result) : Errno::ok;
  const auto bytes = static_cast<std::size_t>(answer.result < 0 ? 0 : answer.result);
  switch (answer.operation) {
    case vmi::socket_connect:
    case vmi::socket_accept: {
      if (state_ != State::connecting) break;  // abandoned meanwhile
      Opener* opener = std::exchange(opener_, nullptr);
      if (error != Errno::ok) {
        state_ = State::closed;
        self_.reset();
      } else {
        opened();
      }
      opener->opened(error, endpoint_of(answer.local), endpoint_of(answer.peer));
      break;
    }
    case vmi::socket_send:
      sending_ = false;
      if (state_ != State::open) to_host->drop_everything();
      if (state_ != State::open) break;
      progress += bytes;
      scheduler.cancel_timer(patience_);
      if (error != Errno::ok)
        cannot_send(error);
      else
        to_host->drop(std::min(bytes, to_host->used()));
      break;
    case vmi::socket_receive:
      receiving_ = false;
      if (bytes == from_host->lent()) wanted_ = std::min(4 * wanted_, most_wanted);
      from_host->came(state_ == State::open ? bytes : 0);
      if (state_ != State::open) break;
      if (error != Errno::ok) break_off(error);
      ended_ = bytes == 0;
      if (ended_ && error == Errno::ok) from_host->end();
      break;
    case vmi::socket_close:
    case vmi::socket_reset:
      state_ = State::closed;
      self_.reset();
      return;
    default:
      break;
  }
  look_again();
}

}  // namespace guest
