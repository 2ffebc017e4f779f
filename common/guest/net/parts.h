// Parts: the memory that a message comes from or goes to, in one piece or in several (struct iovec,
// copied and checked before). Made by the calls that send and receive, for as long as they run.
#pragma once

#include <algorithm>

#include "guest/abi/file_structs.h"
#include "guest/vfs/source.h"

namespace guest {

class Parts {
 public:
  Parts(UserAddress one, std::size_t bytes) : one_{one.value, bytes}, bytes_(bytes) {}
  /// For sending only.
  Parts(Source one, std::size_t bytes) : one_{0, bytes}, bytes_(bytes), source_(one) {}
  /// `parts` must outlive this.
  Parts(const abi::IoVector* parts, std::size_t count, std::size_t bytes)
      : parts_(parts), count_(count), bytes_(bytes) {}
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  /// Calls `move(from, bytes)`, which returns how many it moved, for each piece of the `bytes`
  /// behind `skip`, until one falls short. An error counts if nothing had moved.
  template <class Move>
  Result<std::size_t> each_source(std::size_t skip, std::size_t bytes, Move move) const {
    if (!parts_) return source_ ? move(*source_ + skip, bytes) : move(user(one_, skip), bytes);
    return each_user(skip, bytes, move);
  }
  template <class Move>
  Result<std::size_t> each_user(std::size_t skip, std::size_t bytes, Move move) const {
    if (!parts_) return move(user(one_, skip), bytes);
    std::size_t done = 0;
    for (std::size_t i = 0; i < count_ && done < bytes; ++i) {
      if (skip >= parts_[i].bytes) {
        skip -= parts_[i].bytes;
        continue;
      }
      const std::size_t piece = std::min(parts_[i].bytes - skip, bytes - done);
      auto moved = move(user(parts_[i], skip), piece);
      if (!moved.ok() && done == 0) return moved.error();
      done += moved.ok() ? moved.value() : 0;
      if (!moved.ok() || moved.value() < piece) break;
      skip = 0;
    }
    return done;
  }

 private:
  static UserAddress user(const abi::IoVector& part, std::size_t skip) {
    return UserAddress{part.base + skip};
  }
  const abi::IoVector* parts_ = nullptr;
  std::size_t count_ = 1;
  const abi::IoVector one_ = {};
  const std::size_t bytes_;
  struct Maybe {
    Maybe() = default;
    Maybe(Source source) : source(source), set(true) {}  // NOLINT(google-explicit-constructor)
    explicit operator bool() const { return set; }
    Source operator*() const { return source; }
    Source source = UserAddress{};
    bool set = false;
  } source_;
};

}  // namespace guest
