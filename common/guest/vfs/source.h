// Source: where the bytes of a write come from. Nearly always user memory; kernel memory for
// sendfile, whose bytes no user address has.
#pragma once

#include <cstdint>

#include "guest/mm/frames.h"
#include "guest/mm/user.h"
#include "guest/platform.h"

namespace guest {

class Source {
 public:
  Source(UserAddress user) : user_(user) {}  // NOLINT(google-explicit-constructor)
  explicit Source(const std::uint8_t* kernel) : kernel_(kernel) {}

  Source operator+(std::uint64_t bytes) const {
    return kernel_ ? Source(kernel_ + bytes) : Source(user_ + bytes);
  }
  // Both return how many bytes have moved; an error if none.
  [[nodiscard]] Result<std::size_t> move_to(void* to, std::size_t bytes) const {
    if (!kernel_) return move_from_user(to, user_, bytes);
    __builtin_memcpy(to, kernel_, bytes);
    return bytes;
  }
  [[nodiscard]] Result<std::size_t> move_to_frame(Frame frame, std::uint64_t offset,
                                                  std::size_t bytes,
                                                  MoveWatcher* watcher = nullptr) const {
    if (!kernel_) return user_to_frame(frame, offset, user_, bytes, watcher);
    hypercalls().poke_frame(frame, Bytes(offset), kernel_, Bytes(bytes));
    return bytes;
  }

 private:
  UserAddress user_;
  const std::uint8_t* kernel_ = nullptr;
};

/// Bytes that are written at a file's end belong to it as soon as they are there: a fault in the
/// middle may be on this very file, and zeroes what is behind the end. `Grow(end)` moves the end.
template <class Grow>
class GrowingEnd final : public MoveWatcher {
 public:
  GrowingEnd(std::uint64_t at, Grow grow) : at_(at), grow_(grow) {}
  void have_moved(std::size_t bytes) override { grow_(at_ + bytes); }

 private:
  std::uint64_t at_;
  Grow grow_;
};

}  // namespace guest
