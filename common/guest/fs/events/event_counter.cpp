// See the header.
#include "guest/fs/events/event_counter.h"

#include "guest/abi/file_flags.h"

namespace guest {

Result<std::size_t> EventCounter::read(UserAddress to, std::size_t bytes) {
  if (bytes < sizeof count_) return Errno::inval;
  TRY(wait_for(abi::poll_in));
  const std::uint64_t taken = one_by_one_ ? 1 : count_;
  count_ -= taken;
  events_.notify(abi::poll_out | abi::poll_wrnorm);
  TRY(put_user(to, taken));
  return sizeof taken;
}

Result<std::size_t> EventCounter::write(Source from, std::size_t bytes) {
  std::uint64_t added = 0;
  if (bytes < sizeof added) return Errno::inval;
  if (TRY(from.move_to(&added, sizeof added)) < sizeof added) return Errno::fault;
  if (added > most) return Errno::inval;
  while (added > most - count_) {
    if (nonblocking()) return Errno::again;
    TRY(events_.wait(abi::poll_out));
  }
  count_ += added;
  events_.notify(abi::poll_in | abi::poll_rdnorm);
  return sizeof added;
}

std::uint32_t EventCounter::poll_state() {
  std::uint32_t state = 0;
  if (count_ > 0) state |= abi::poll_in;
  if (count_ < most) state |= abi::poll_out;
  return state;
}

Result<Ref<File>> make_event_counter(std::uint64_t count, bool one_by_one, std::uint32_t flags) {
  return make_anonymous<EventCounter>("[eventfd]", flags, count, one_by_one);
}

}  // namespace guest
