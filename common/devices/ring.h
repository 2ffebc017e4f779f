// RingEnd: a device's end of a ring in the window. The other end belongs to the guest, so head and
// tail are whatever the guest wrote: an absurd pair counts as an empty ring, and no span handed
// out here ever leaves the ring's data.
#pragma once

#include <atomic>
#include <cstdint>

#include "vmi/devices.h"

namespace devices {

struct RingSpan {
  std::uint8_t* data;
  std::uint32_t bytes;
};

class RingEnd {
 public:
  template <std::uint32_t N>
  explicit RingEnd(vmi::ByteRing<N>& ring)
      : head_(ring.head), tail_(ring.tail), data_(ring.data), capacity_(N) {}

  [[nodiscard]] std::uint32_t capacity() const { return capacity_; }
  /// False when head and tail cannot both be right. `reset` then drops what is in the ring.
  [[nodiscard]] bool sane() const { return filled() <= capacity_; }
  void reset_as_consumer() { tail_.store(head_.load(std::memory_order_acquire)); }
  void reset_as_producer() { head_.store(tail_.load(std::memory_order_acquire)); }

  // -- Consumer: the oldest bytes that lie in one piece; then how many of them are used up.
  [[nodiscard]] RingSpan readable() const {
    const std::uint32_t bytes = filled();
    return piece(tail_.load(std::memory_order_relaxed), bytes <= capacity_ ? bytes : 0);
  }
  void consume(std::uint32_t bytes) { tail_.fetch_add(bytes, std::memory_order_release); }

  // -- Producer: free space that lies in one piece; then how much of it was filled.
  [[nodiscard]] RingSpan writable() const {
    const std::uint32_t bytes = filled();
    return piece(head_.load(std::memory_order_relaxed), bytes <= capacity_ ? capacity_ - bytes : 0);
  }
  void produce(std::uint32_t bytes) { head_.fetch_add(bytes, std::memory_order_release); }

  [[nodiscard]] std::uint32_t filled() const {
    return head_.load(std::memory_order_acquire) - tail_.load(std::memory_order_acquire);
  }

 private:
  [[nodiscard]] RingSpan piece(std::uint32_t from, std::uint32_t bytes) const {
    std::uint32_t at = from & (capacity_ - 1);
    return {data_ + at, bytes < capacity_ - at ? bytes : capacity_ - at};
  }

  std::atomic_ref<std::uint32_t> head_, tail_;
  std::uint8_t* data_;
  std::uint32_t capacity_;
};

}  // namespace devices
