// The guest's ends of device rings (vmi::ByteRing). The other side may run in another process, on
// another CPU: positions are published with release and read with acquire order.
#pragma once

#include "guest/fs/source.h"
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
  std::size_t done = 0;
  while (done < bytes && ring_space(ring)) {
    std::uint32_t at = ring.head % Ring::capacity;
    std::size_t part = Ring::capacity - at;
    if (part > bytes - done) part = bytes - done;
    if (part > ring_space(ring)) part = ring_space(ring);
    TRY((from + done).copy_to(ring.data + at, part));
    __atomic_store_n(&ring.head, ring.head + static_cast<std::uint32_t>(part), __ATOMIC_RELEASE);
    done += part;
  }
  return done;
}

/// Moves up to `bytes` from the ring to user memory, as consumer. Returns how many.
template <class Ring>
Result<std::size_t> ring_take(Ring& ring, UserAddress to, std::size_t bytes) {
  std::size_t done = 0;
  while (done < bytes && ring_used(ring)) {
    std::uint32_t at = ring.tail % Ring::capacity;
    std::size_t part = Ring::capacity - at;
    if (part > bytes - done) part = bytes - done;
    if (part > ring_used(ring)) part = ring_used(ring);
    TRY(copy_to_user(to + done, ring.data + at, part));
    __atomic_store_n(&ring.tail, ring.tail + static_cast<std::uint32_t>(part), __ATOMIC_RELEASE);
    done += part;
  }
  return done;
}

/// The oldest byte of a ring that has one, as consumer.
template <class Ring>
std::uint8_t ring_get(Ring& ring) {
  std::uint8_t byte = ring.data[ring.tail % Ring::capacity];
  __atomic_store_n(&ring.tail, ring.tail + 1, __ATOMIC_RELEASE);
  return byte;
}

}  // namespace guest
