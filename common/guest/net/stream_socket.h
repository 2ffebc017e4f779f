// StreamSocket: what sockets that connect and listen have in common: local streams and sequences of
// packets, and TCP. A connection is a pair of flows, crossed; the classes above say how the two
// ends find each other, and what becomes of errors.
#pragma once

#include "guest/net/backlog.h"

namespace guest {

class StreamSocket : public Socket {
 public:
  StreamSocket(Ref<Inode> inode, std::uint32_t flags, SocketKind kind)
      : Socket(std::move(inode), flags, kind), from_peer_(events_), to_peer_(events_) {}

  Result<> listen(int backlog) override;
  Result<Ref<Socket>> accept(std::uint32_t flags) override;
  Result<> join(Socket& other) override;
  std::uint32_t poll_state() override;

 protected:
  enum class State : std::uint8_t { fresh, listening, connecting, connected, failed };

  /// A socket for the first one in the backlog.
  virtual Result<Ref<StreamSocket>> make_accepted(Arrival& arrival, std::uint32_t flags) = 0;
  /// May it begin to listen? What must be known by then, is.
  virtual Result<> prepare_to_listen() = 0;
  /// May anything be sent now? EPIPE, or the error that is due. `out` was this socket's when the
  /// call began; meanwhile it may have been disconnected.
  virtual Result<> may_send(const Flow& out) = 0;
  /// What goes with the bytes of a send, `first` ones or later ones. nullptr: nothing.
  virtual Result<FlowNote*> note_on(Outgoing&, bool /*first*/) { return nullptr; }
  /// The peer has gone; what is sent goes nowhere.
  virtual void sent_to_nobody(Flow& /*out*/) {}

  /// From now on it is connected by these.
  void attach(Ref<Flow> in, Ref<Flow> out);
  /// A connection to a listener: attaches this end, and gives the other to the backlog.
  template <class T, class... A>
  Result<> connect_to(Backlog& backlog, A&&... arguments);
  void stop_listening();

  Result<std::size_t> send_bytes(const Parts& from, Outgoing& how);
  /// Until there are some; false: it is the end.
  Result<bool> wait_for_bytes(Flow& in, const Incoming& how, std::uint64_t deadline_ns);
  /// Until `out` has room for them as a whole (a message), or for any (a stream: 0). A call that
  /// has sent a part leaves the socket's error to the next one, as it cannot tell it.
  Result<> wait_for_room(Flow& out, std::size_t message, const Outgoing& how,
                         std::uint64_t deadline_ns, bool part_is_sent = false);

  bool accepts_connections() override { return state_ == State::listening; }
  void buffers_changed() override;
  [[nodiscard]] virtual std::uint32_t flow_limit() const { return options.send_buffer; }
  Result<std::size_t> bytes_to_read() override;
  Result<std::size_t> bytes_unsent() override;
  Errno take_error() override;
  [[nodiscard]] bool has_error() const;

  State state_ = State::fresh;
  Ref<Flow> in_, out_;    // connected
  Ref<Backlog> backlog_;  // listening
  Forwarder from_peer_, to_peer_;
};

template <class T, class... A>
Result<> StreamSocket::connect_to(Backlog& backlog, A&&... arguments) {
  TRY(SocketCount::check(1));
  Ref<Flow> there = TRY(make_ref<Flow>(flow_limit())), back = TRY(make_ref<Flow>(flow_limit()));
  auto* arrival = new (std::nothrow) T(there, back, std::forward<A>(arguments)...);
  if (!arrival) return Errno::nomem;
  attach(std::move(back), std::move(there));
  backlog.add(*arrival);
  return {};
}

}  // namespace guest
