// Backlog: connections that were made to a listening socket and that nobody has accepted yet. They
// can be written to already. Whoever connects holds it while he waits for room; the socket may go.
#pragma once

#include "guest/net/socket.h"

namespace guest {

/// The listener's end of a connection, before there is a socket for it.
struct Arrival : Allocated<HeapKind::file> {
  Arrival(Ref<Flow> in, Ref<Flow> out) : in(std::move(in)), out(std::move(out)) {}
  virtual ~Arrival() = default;
  /// Nobody will accept it.
  void refuse();

  ListNode node;
  Ref<Flow> in, out;
  SocketCount count;
};

class Backlog : public Counted, public Allocated<HeapKind::file> {
 public:
  static constexpr std::uint32_t largest = 4096;  // /proc/sys/net/core/somaxconn
  explicit Backlog(int most) { set_most(most); }
  ~Backlog() { close(); }

  /// Linux takes one more than it was told.
  [[nodiscard]] bool full() const { return count_ > most_; }
  [[nodiscard]] bool open() const { return open_; }
  [[nodiscard]] std::uint32_t count() const { return count_; }
  [[nodiscard]] std::uint32_t most() const { return most_; }
  void set_most(int most);
  Arrival* first() { return arrivals_.front(); }
  void add(Arrival& arrival);
  /// It has a socket now, or is refused; the caller deletes it.
  void remove(Arrival& arrival);
  /// No more may come; those that are there can be accepted.
  void stop();
  /// Nobody listens any more: refuses all.
  void close();

  List<Arrival, &Arrival::node>& arrivals() { return arrivals_; }
  WaitQueue arrived;   // told of each one that comes
  WaitQueue departed;  // told when there is room, and at the end

 private:
  List<Arrival, &Arrival::node> arrivals_;
  std::uint32_t count_ = 0, most_ = 0;
  bool open_ = true;
};

}  // namespace guest
