// See flow.h. Called by sockets' sends and receives; nothing here sleeps.
#include "guest/net/flow.h"

#include <algorithm>

#include "guest/abi/file_flags.h"

namespace guest {
namespace {

constexpr Events readable = abi::poll_in | abi::poll_rdnorm;
constexpr Events sendable = abi::poll_out | abi::poll_wrnorm | abi::poll_wrband;

}  // namespace

Flow::~Flow() {
  drop_everything();
}

void Flow::drop_everything() {
  while (FlowNote* note = notes_.front()) remove(*note);
  taken_ += ring_.used();
  charge_ = 0;
  ring_.drop(ring_.used());
  departures.notify(sendable);
}

void Flow::set_limit(std::uint32_t bytes) {
  limit_ = std::min(bytes, ByteRing::capacity);
}

void Flow::add(FlowNote& note, std::size_t bytes) {
  note.begin = taken_ + ring_.used();
  note.end = note.begin + bytes;
  charge_ += message_weight;
  notes_.push_back(note);
  last_note_ = &note;
}

void Flow::remove(FlowNote& note) {
  note.node.unlink();
  if (&note == last_note_) last_note_ = nullptr;
  charge_ -= message_weight;
  delete &note;
}

Result<std::size_t> Flow::put(const Parts& from, std::size_t skip, std::size_t bytes,
                              FlowNote* note) {
  const std::size_t wanted = std::min({bytes, room(), std::size_t{ring_.space()}});
  std::uint32_t ahead = 0;
  const std::size_t moved = TRY(from.each_source(skip, wanted, [&](Source part, std::size_t count) {
    auto put = ring_.put(ahead, part, count);
    if (put.ok()) ahead += static_cast<std::uint32_t>(put.value());
    return put;
  }));
  if (note && moved) add(*note, moved);
  ring_.commit(ahead);
  charge_ += ahead;
  arrivals.notify(readable);
  return moved;
}

Result<> Flow::put_message(const Parts& from, FlowNote& note) {
  std::uint32_t ahead = 0;
  TRY(from.each_source(0, from.bytes(), [&](Source part, std::size_t count) {
    auto put = ring_.put(ahead, part, count);
    if (put.ok()) ahead += static_cast<std::uint32_t>(put.value());
    return put;
  }));
  if (ahead < from.bytes()) return Errno::fault;
  add(note, ahead);
  ring_.commit(ahead);
  charge_ += ahead;
  arrivals.notify(readable);
  return {};
}

Result<std::size_t> Flow::copy(std::size_t offset, const Parts& to, std::size_t skip,
                               std::size_t bytes) const {
  auto at = static_cast<std::uint32_t>(offset);
  return to.each_user(skip, bytes, [&](UserAddress part, std::size_t count) {
    auto copied = ring_.copy(at, part, count);
    if (copied.ok()) at += static_cast<std::uint32_t>(copied.value());
    return copied;
  });
}

void Flow::drop(std::size_t bytes) {
  const bool was_writable = writable();
  ring_.drop(static_cast<std::uint32_t>(bytes));
  taken_ += bytes;
  charge_ -= static_cast<std::uint32_t>(bytes);
  for (FlowNote& note : notes_) {
    if (note.end > taken_) break;
    remove(note);
  }
  if (!was_writable && writable()) departures.notify(sendable);
}

// Those who send messages wait until theirs fits, wherever that is.
void Flow::drop_message() {
  FlowNote& note = *notes_.front();
  const std::size_t bytes = note.bytes();
  ring_.drop(static_cast<std::uint32_t>(bytes));
  taken_ += bytes;
  charge_ -= static_cast<std::uint32_t>(bytes);
  remove(note);
  departures.notify(sendable);
}

Result<std::uint32_t> Flow::lend(ByteRing::Piece* pieces, std::uint32_t most, std::size_t wanted) {
  const std::size_t bytes = std::min({wanted, room(), std::size_t{ring_.space()}});
  if (bytes == 0) return std::uint32_t{0};
  return ring_.lend(pieces, most, static_cast<std::uint32_t>(bytes));
}

void Flow::came(std::size_t bytes) {
  ring_.take_back();
  if (bytes == 0) return;
  ring_.commit(static_cast<std::uint32_t>(bytes));
  charge_ += static_cast<std::uint32_t>(bytes);
  arrivals.notify(readable);
}

void Flow::end() {
  ended = true;
  arrivals.notify(readable | abi::poll_hup | abi::poll_rdhup | abi::poll_err);
}

void Flow::refuse() {
  refused = true;
  departures.notify(sendable | abi::poll_hup | abi::poll_err);
}

}  // namespace guest
