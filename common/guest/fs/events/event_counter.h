// EventCounter: what eventfd makes, a counter that readers wait for and take.
#pragma once

#include "guest/fs/events/anonymous.h"

namespace guest {

class EventCounter final : public AnonymousFile {
 public:
  EventCounter(Ref<Inode> inode, std::uint32_t flags, std::uint64_t count, bool one_by_one)
      : AnonymousFile(std::move(inode), flags), count_(count), one_by_one_(one_by_one) {}
  /// All of the count, or one of it (EFD_SEMAPHORE); waits while it is 0.
  Result<std::size_t> read(UserAddress to, std::size_t bytes) override;
  /// Adds; waits while the sum would be too large.
  Result<std::size_t> write(Source from, std::size_t bytes) override;
  std::uint32_t poll_state() override;

 private:
  static constexpr std::uint64_t most = ~0ull - 1;
  std::uint64_t count_;
  bool one_by_one_;
};

Result<Ref<File>> make_event_counter(std::uint64_t count, bool one_by_one, std::uint32_t flags);

}  // namespace guest
