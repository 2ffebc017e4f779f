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
                                                  std::size_t bytes) const {
    if (!kernel_) return user_to_frame(frame, offset, user_, bytes);
    hypercalls().poke_frame(frame, offset, kernel_, bytes);
    return bytes;
  }

 private:
  UserAddress user_;
  const std::uint8_t* kernel_ = nullptr;
};

}  // namespace guest
