// ByteRing: bytes between those who send and those who receive. The first of them lie in the
// object, so that small messages never leave the window: a ring that runs empty starts again at the
// front. The rest lies in page frames, taken when a message first gets that far. Used by Flow
// alone.
#pragma once

#include "guest/mm/frames.h"
#include "guest/vfs/source.h"

namespace guest {

class ByteRing {
 public:
  static constexpr std::uint32_t capacity = 512 * 1024;

  ByteRing() = default;
  ~ByteRing();
  ByteRing(const ByteRing&) = delete;
  ByteRing& operator=(const ByteRing&) = delete;

  [[nodiscard]] std::uint32_t used() const { return used_; }
  [[nodiscard]] std::uint32_t space() const { return capacity - used_; }

  /// Puts bytes `ahead` of the end, where there must be space. They count from commit() on.
  Result<std::size_t> put(std::uint32_t ahead, Source from, std::size_t bytes);
  void commit(std::uint32_t bytes) { used_ += bytes; }
  /// Of those that are there, from `offset` on; they stay.
  Result<std::size_t> copy(std::uint32_t offset, UserAddress to, std::size_t bytes) const;
  void drop(std::uint32_t bytes);

  // -- For who reaches guest memory by himself. Stretches that lie in one piece each, as few as
  // there are and at most `most`.
  struct Piece {
    std::uint64_t at;  // in guest memory, as devices name it
    std::uint64_t bytes;
  };
  /// Of those that are there, from the first on. What is put meanwhile comes behind.
  std::uint32_t show(Piece* pieces, std::uint32_t most) const;
  /// Of the space behind them, `bytes` of which must be there; less if memory is short. It stays
  /// where it is until take_back.
  Result<std::uint32_t> lend(Piece* pieces, std::uint32_t most, std::uint32_t bytes);
  void take_back() { lent_ = 0; }
  [[nodiscard]] std::uint32_t lent() const { return lent_; }

 private:
  static constexpr std::uint32_t slots = capacity / vmi::page_size;
  static constexpr std::uint32_t near_bytes = 192;
  static constexpr Frame no_frame = UINT32_MAX;

  /// A stretch that lies in one place.
  struct Segment {
    std::uint8_t* near;  // in the object, or null:
    Frame frame;
    std::uint32_t offset, bytes;
  };
  [[nodiscard]] Segment segment(std::uint32_t at, std::uint32_t bytes) const;
  Result<> reserve(std::uint32_t at, std::uint32_t bytes);
  /// Of an empty ring, but for what is lent.
  void release_frames();
  [[nodiscard]] bool is_lent(std::uint32_t slot) const;
  std::uint32_t pieces_of(std::uint32_t at, std::uint32_t bytes, Piece* pieces,
                          std::uint32_t most) const;

  std::uint32_t lent_ = 0;   // bytes behind the last one
  std::uint32_t first_ = 0;  // ring offset of the oldest byte
  std::uint32_t used_ = 0;
  Frame* frames_ = nullptr;    // of each slot, once there is any
  std::uint32_t touched_ = 0;  // slots from here on have never had one since the ring was empty
  mutable std::uint8_t near_[near_bytes];
};

}  // namespace guest
