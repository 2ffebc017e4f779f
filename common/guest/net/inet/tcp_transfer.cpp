// TcpSocket: bytes, shutdown, options. See tcp.h.
#include <algorithm>

#include "guest/base/progress.h"
#include "guest/net/inet/tcp.h"
#include "guest/net/interface.h"
#include "guest/proc/process.h"
#include "guest/proc/signal.h"

namespace guest {
namespace {

constexpr int congestion_option = 13, information_option = 11;
constexpr std::uint32_t usual_flow = SocketOptions::usual_buffer;

}  // namespace

// One ring has what Linux keeps at both ends.
std::uint32_t TcpSocket::flow_limit() const {
  const SocketOptions& own = Socket::options;
  if (!own.send_buffer_set && !own.receive_buffer_set) return usual_flow;
  return (own.send_buffer_set ? own.send_buffer : 0) +
         (own.receive_buffer_set ? own.receive_buffer : usual_flow / 2);
}

// -- Sending.

Result<> TcpSocket::may_send(const Flow& out) {
  if (!out.refused && !has_error()) return {};
  const Errno error = take_error();
  return error != Errno::ok ? error : Errno::pipe;
}

// The peer would answer that it is gone: from now on the program is told.
void TcpSocket::sent_to_nobody(Flow& out) {
  error_ = Errno::pipe;
  out.refuse();
  finished_ = true;
}

Result<std::size_t> TcpSocket::send(const Parts& from, Outgoing& how) {
  if (how.flags & abi::msg_oob) return Errno::notsup;
  if (state_ == State::connecting) {
    if (nonblocking(how.flags)) return Errno::again;
    TRY(wait_until_connected(deadline(Socket::options.send_timeout_ns)));
  }
  auto sent = state_ == State::connected ? send_bytes(from, how) : Result<std::size_t>([&] {
    const Errno error = take_error();
    return error != Errno::ok ? error : Errno::pipe;
  }());
  if (sent.ok()) loopback_traffic.add(sent.value());
  if (sent.error() == Errno::pipe && !(how.flags & abi::msg_nosignal))
    send_signal(current_process(), sig_pipe);
  return sent;
}

// -- Receiving.

Result<std::size_t> TcpSocket::receive(const Parts& to, Incoming& how) {
  if (how.flags & abi::msg_errqueue) return Errno::again;
  if (state_ == State::connecting) {
    if (nonblocking(how.flags)) return Errno::again;
    TRY(wait_until_connected(deadline(Socket::options.receive_timeout_ns)));
  }
  if (state_ == State::listening) return Errno::notconn;
  if (state_ != State::connected) {
    const Errno error = take_error();
    if (error != Errno::ok) return error;
    return state_ == State::failed ? Result<std::size_t>(0) : Errno::notconn;
  }
  if (how.flags & abi::msg_oob) return Errno::inval;  // there is none
  return receive_bytes(to, how);
}

Result<std::size_t> TcpSocket::receive_bytes(const Parts& to, Incoming& how) {
  const bool peek = how.flags & abi::msg_peek, throw_away = how.flags & abi::msg_trunc;
  const bool all = (how.flags & abi::msg_waitall) && !peek;
  const std::size_t wanted = to.bytes();
  const std::size_t enough =
      all ? wanted : std::min(wanted, static_cast<std::size_t>(Socket::options.receive_low_water));
  const std::uint64_t until = deadline(Socket::options.receive_timeout_ns);
  Ref<Flow> in = in_;
  return in_parts(wanted, [&](std::size_t done) -> Result<std::size_t> {
    if (in->used() == 0 && ((done && done >= enough) || finished_)) return std::size_t{0};
    if (peek && done) return std::size_t{0};
    if (!TRY(wait_for_bytes(*in, how, until))) return std::size_t{0};
    const std::size_t piece = std::min(in->used(), wanted - done);
    const std::size_t moved = throw_away ? piece : TRY(in->copy(0, to, done, piece));
    if (!peek) in->drop(moved);
    return moved;
  });
}

// -- Its end.

Result<> TcpSocket::shutdown(int how) {
  const bool reading = how != abi::shut_wr, writing = how != abi::shut_rd;
  if (state_ == State::connecting) {
    fail(Errno::ok);
    return {};
  }
  if (state_ == State::listening) {
    if (reading) disconnect();
    return {};
  }
  if (state_ != State::connected) return Errno::notconn;
  if (reading) {
    read_shut_ |= !in_->ended;
    in_->end();
  }
  if (writing) {
    out_->end();
    out_->refuse();
  }
  return {};
}

TcpSocket::Shown TcpSocket::shown() {
  enum { established = 1, syn_sent = 2, fin_wait2 = 5, close = 7, close_wait = 8, last_ack = 9 };
  switch (state_) {
    case State::listening:
      return {listens, 0, backlog_->count()};
    case State::connecting:
      return {syn_sent, 0, 0};
    case State::connected:
      break;
    default:
      return {close, 0, 0};
  }
  const bool peer_ended = in_->ended && !read_shut_;
  const std::uint8_t state =
      out_->ended ? (peer_ended ? last_ack : fin_wait2) : (peer_ended ? close_wait : established);
  return {state, 0, in_->used()};
}

// -- Options.

Result<> TcpSocket::set_own_option(int level, int name, UserAddress value, std::uint32_t bytes) {
  if (level != abi::ipproto_tcp || name != congestion_option)
    return set_inet_option(level, name, value, bytes);
  char wanted[16] = {};
  if (bytes == 0) return Errno::inval;
  TRY(copy_from_user(wanted, value, std::min<std::size_t>(bytes, sizeof wanted - 1)));
  const std::string_view text = wanted;
  return text == "cubic" || text == "reno" ? Result<>() : Errno::noent;
}

Result<std::size_t> TcpSocket::get_own_option(int level, int name, OptionValue& value) {
  if (level != abi::ipproto_tcp) return get_inet_option(level, name, value);
  if (name == congestion_option) {
    __builtin_memcpy(value.bytes, "cubic", sizeof "cubic");
    return std::size_t{16};
  }
  if (name == information_option) {  // the state comes first; nothing else happens here
    value.bytes[0] = shown().state;
    return std::size_t{232};
  }
  return get_inet_option(level, name, value);
}

}  // namespace guest
