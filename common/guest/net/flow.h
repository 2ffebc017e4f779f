// Flow: one direction of what is sent and received: bytes in a ring, and notes on some of them. A
// connection has two of them, crossed; a datagram socket has one, which many send to. A flow does
// not know what is at its ends: here other sockets of the guest, and it could as well be a device
// that carries the bytes out of the machine. Each end listens to what the other does.
#pragma once

#include "guest/base/list.h"
#include "guest/heap/make.h"
#include "guest/net/byte_ring.h"
#include "guest/net/parts.h"
#include "guest/sched/wait_queue.h"

namespace guest {

/// What goes with bytes [begin, end) of all that ever went through a flow: where a message ends,
/// whose it is, files that are passed. There may be very many, and a program chooses how many.
struct FlowNote : Allocated<HeapKind::crowd> {
  virtual ~FlowNote() = default;
  ListNode node;
  std::uint64_t begin = 0, end = 0;
  [[nodiscard]] std::size_t bytes() const { return end - begin; }
};

class Flow : public Counted, public Allocated<HeapKind::file> {
 public:
  explicit Flow(std::uint32_t limit) { set_limit(limit); }
  ~Flow();

  // -- The sender's end.
  /// How many bytes of a stream may go in now.
  [[nodiscard]] std::size_t room() const { return limit_ > charge_ ? limit_ - charge_ : 0; }
  /// May a message of so many go in as a whole?
  [[nodiscard]] bool has_room_for(std::size_t bytes) const {
    return charge_ < limit_ && ring_.space() >= bytes;
  }
  /// Worth telling poll: a good part is free.
  [[nodiscard]] bool writable() const { return charge_ <= limit_ - limit_ / 3; }
  /// As many of [skip, skip + bytes) as memory holds; at most room(). With a note: on these.
  Result<std::size_t> put(const Parts& from, std::size_t skip, std::size_t bytes,
                          FlowNote* note = nullptr);
  /// All, as one message under a note, which it takes over; or an error, and nothing.
  Result<> put_message(const Parts& from, FlowNote& note);
  void set_limit(std::uint32_t bytes);

  // -- The receiver's end.
  [[nodiscard]] std::size_t used() const { return ring_.used(); }
  [[nodiscard]] bool empty() const { return ring_.used() == 0 && notes_.empty(); }
  [[nodiscard]] std::uint64_t position() const { return taken_; }
  /// The first note whose bytes are not all taken, or which has none.
  [[nodiscard]] FlowNote* first_note() { return notes_.front(); }
  FlowNote* next_note(FlowNote& note) { return &note == last_note_ ? nullptr : Notes::next(note); }
  /// From `offset` behind the position; they stay.
  Result<std::size_t> copy(std::size_t offset, const Parts& to, std::size_t skip,
                           std::size_t bytes) const;
  /// So many are done with, and all notes that end there; they are deleted.
  void drop(std::size_t bytes);
  /// The message under the first note, which is deleted.
  void drop_message();
  /// All that is there: nobody will receive it.
  void drop_everything();

  // -- An end that is a device, which reaches guest memory by itself. As ByteRing has them.
  std::uint32_t show(ByteRing::Piece* pieces, std::uint32_t most) const {
    return ring_.show(pieces, most);
  }
  /// Of the room there is, for at most `wanted` bytes; 0: there is none. Nobody else sends until
  /// they have come.
  Result<std::uint32_t> lend(ByteRing::Piece* pieces, std::uint32_t most, std::size_t wanted);
  [[nodiscard]] std::size_t lent() const { return ring_.lent(); }
  /// So many of those have come, 0 if none do.
  void came(std::size_t bytes);

  // -- What both ends know. Whoever changes one of these tells the other end.
  bool ended = false;         // no more bytes will come
  bool refused = false;       // no more may be sent
  bool reader_gone = false;   // nobody will take what is there
  bool wants_sender = false;  // the receiver asks who sends (SO_PASSCRED)
  Errno error = Errno::ok;    // the receiver's next one, behind the bytes that are there
  WaitQueue arrivals;         // told when there is more, or an end
  WaitQueue departures;       // told when there is room, or no use in sending
  void end();                 // by the sender
  void refuse();              // by the receiver

 private:
  using Notes = List<FlowNote, &FlowNote::node>;
  /// A message weighs more than its bytes, or a great many small ones would count as little.
  static constexpr std::uint32_t message_weight = 768;

  void add(FlowNote& note, std::size_t bytes);
  void remove(FlowNote& note);

  ByteRing ring_;
  Notes notes_;
  FlowNote* last_note_ = nullptr;
  std::uint64_t taken_ = 0;  // of all that ever went through
  std::uint32_t charge_ = 0, limit_ = 0;
};

}  // namespace guest
