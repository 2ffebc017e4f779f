// The guest's ends of device rings (vmi::ByteRing). The other side may run in another process, on
// another CPU: positions are published with release and read with acquire order.
#pragma once

#include <algorithm>

#include "guest/base/progress.h"
#include "guest/vfs/source.h"
#include "vmi/devices.h"

namespace guest {

template <class Ring>
std::uint32_t ring_used(const Ring& ring) {
  return __atomic_load_n(&ring.head, __ATOMIC_ACQUIRE) -
         __atomic_load_n(&ring.tail, __ATOMIC_ACQUIRE);
}

template <class Ring>
std::uint32_t ring_space(const Ring& ring) {
  return Ring::capacity - ring_used(ring);
}

/// Moves up to `bytes` into the ring, as producer. Returns how many.
template <class Ring>
Result<std::size_t> ring_put(Ring& ring, Source from, std::size_t bytes) {
  return in_parts(bytes, [&](std::size_t done) -> Result<std::size_t> {
    const std::uint32_t at = ring.head % Ring::capacity;
    const std::size_t part =
        std::min<std::size_t>({Ring::capacity - at, bytes - done, ring_space(ring)});
    const auto moved = TRY((from + done).move_to(ring.data + at, part));
    __atomic_store_n(&ring.head, ring.head + static_cast<std::uint32_t>(moved), __ATOMIC_RELEASE);
    return moved;
  });
}

/// Moves up to `bytes` from the ring to user memory, as consumer. Returns how many.
template <class Ring>
Result<std::size_t> ring_take(Ring& ring, UserAddress to, std::size_t bytes) {
  return in_parts(bytes, [&](std::size_t done) -> Result<std::size_t> {
    const std::uint32_t at = ring.tail % Ring::capacity;
    const std::size_t part =
        std::min<std::size_t>({Ring::capacity - at, bytes - done, ring_used(ring)});
    const auto moved = TRY(move_to_user(to + done, ring.data + at, part));
    __atomic_store_n(&ring.tail, ring.tail + static_cast<std::uint32_t>(moved), __ATOMIC_RELEASE);
    return moved;
  });
}

/// Takes back what the consumer has left, as producer, while it rests. Returns how many bytes.
template <class Ring>
std::uint32_t ring_withdraw(Ring& ring) {
  const std::uint32_t left = ring_used(ring);
  __atomic_store_n(&ring.head, ring.head - left, __ATOMIC_RELEASE);
  return left;
}

/// The oldest byte of a ring that has one, as consumer.
template <class Ring>
std::uint8_t ring_get(Ring& ring) {
  std::uint8_t byte = ring.data[ring.tail % Ring::capacity];
  __atomic_store_n(&ring.tail, ring.tail + 1, __ATOMIC_RELEASE);
  return byte;
}

}  // namespace guest
