// What local sockets that connect send and receive: see unix_socket.h.
#include <algorithm>

#include "guest/abi/file_flags.h"
#include "guest/base/progress.h"
#include "guest/net/unix/unix_socket.h"
#include "guest/proc/process.h"
#include "guest/proc/signal.h"

namespace guest {
namespace {

constexpr std::uint32_t message_reserve = 32;  // of the send buffer, as on Linux

/// The bytes from `offset` on that one note covers, or none does.
struct Run {
  UnixNote* note;
  std::size_t bytes;
};
Run run_at(Flow& flow, std::size_t offset) {
  const std::uint64_t at = flow.position() + offset;
  for (FlowNote* note = flow.first_note(); note; note = flow.next_note(*note)) {
    if (note->end <= at) continue;
    if (note->begin > at) return {nullptr, note->begin - at};
    return {static_cast<UnixNote*>(note), note->end - at};
  }
  return {nullptr, flow.used() - offset};
}

bool same_sender(const Run& run, const abi::PeerCredentials& known) {
  const abi::PeerCredentials sender = run.note ? run.note->sender : UnixNote::nobody;
  return sender.pid == known.pid && sender.uid == known.uid && sender.gid == known.gid;
}

}  // namespace

// -- Sending.

Result<> UnixStream::may_send(const Flow& out) {
  if (packets())
    if (Errno error = take_error(); error != Errno::ok) return error;
  return out.refused ? Result<>(Errno::pipe) : Result<>();
}

Result<FlowNote*> UnixStream::note_on(Outgoing& how, bool first) {
  const bool with_rights = first && how.control.rights;
  const bool with_sender = options.pass_credentials || out_->wants_sender || how.control.has_sender;
  if (!with_rights && !with_sender) return nullptr;
  return TRY(UnixNote::make(how, with_rights, with_sender));
}

Result<std::size_t> UnixStream::send_packet(const Parts& from, Outgoing& how) {
  if (from.bytes() > options.send_buffer - message_reserve) return Errno::msgsize;
  Ref<Flow> out = out_;
  const bool wants_sender = options.pass_credentials || out->wants_sender;
  TRY(wait_for_room(*out, std::max(from.bytes(), std::size_t{1}), how,
                    deadline(options.send_timeout_ns)));
  UnixNote* note = TRY(UnixNote::make(how, true, wants_sender));
  auto put = out->put_message(from, *note);
  if (!put.ok()) {
    delete note;
    return put.error();
  }
  return from.bytes();
}

Result<std::size_t> UnixStream::send(const Parts& from, Outgoing& how) {
  if (how.flags & abi::msg_oob) return Errno::notsup;
  if (packets()) return state_ == State::connected ? send_packet(from, how) : Errno::notconn;
  if (how.to) return state_ == State::connected ? Errno::isconn : Errno::notsup;
  if (state_ != State::connected) return Errno::notconn;
  auto sent = send_bytes(from, how);
  if (sent.error() == Errno::pipe && !(how.flags & abi::msg_nosignal))
    send_signal(current_process(), sig_pipe);
  return sent;
}

// -- Receiving.

Result<std::size_t> UnixStream::receive(const Parts& to, Incoming& how) {
  if (how.flags & abi::msg_oob) return packets() ? Errno::notsup : Errno::inval;
  if (state_ != State::connected) return packets() ? Errno::notconn : Errno::inval;
  how.wants_sender = options.pass_credentials;
  return packets() ? receive_packet(to, how) : receive_stream(to, how);
}

Result<std::size_t> UnixStream::receive_packet(const Parts& to, Incoming& how) {
  Ref<Flow> in = in_;
  if (!TRY(wait_for_bytes(*in, how, deadline(options.receive_timeout_ns)))) return std::size_t{0};
  auto& note = static_cast<UnixNote&>(*in->first_note());
  const std::size_t whole = note.bytes(), wanted = std::min(whole, to.bytes());
  if (wanted < whole) how.told |= abi::msg_trunc;
  note.give(how);
  if (peer_name_) how.from = peer_name_->address();
  auto copied = in->copy(0, to, 0, wanted);
  if (!(how.flags & abi::msg_peek)) in->drop_message();
  if (!copied.ok() || copied.value() < wanted) return Errno::fault;
  return how.flags & abi::msg_trunc ? whole : wanted;
}

// Bytes of several sends come together, but not across files that came with some of them, nor
// across a change of sender for who asks for that.
Result<std::size_t> UnixStream::receive_stream(const Parts& to, Incoming& how) {
  const bool peek = how.flags & abi::msg_peek;
  const bool all = (how.flags & abi::msg_waitall) && !peek;
  const std::size_t wanted = to.bytes();
  const std::size_t enough =
      all ? wanted : std::min(wanted, static_cast<std::size_t>(options.receive_low_water));
  const std::uint64_t until = deadline(options.receive_timeout_ns);
  Ref<Flow> in = in_;
  std::size_t done = 0;
  bool sender_known = false;
  while (done < wanted) {
    const std::size_t offset = peek ? done : 0;
    if (in->used() == offset) {
      if (done && (peek || done >= enough)) break;
      auto more = wait_for_bytes(*in, how, until);
      if (!more.ok()) return moved(more.error(), done);
      if (!more.value()) break;
    }
    const Run run = run_at(*in, offset);
    if (how.wants_sender && sender_known && !same_sender(run, how.control.sender)) break;
    const std::size_t piece = std::min(run.bytes, wanted - done);
    auto copied = in->copy(offset, to, done, piece);
    if (!copied.ok()) return moved(copied.error(), done);
    if (!sender_known) how.control.sender = UnixNote::nobody;
    sender_known = true;
    if (run.note) run.note->give(how);
    if (!peek) in->drop(copied.value());
    done += copied.value();
    if (copied.value() < piece || how.control.rights) break;
  }
  if (done && peer_name_) how.from = peer_name_->address();
  return done;
}

}  // namespace guest
