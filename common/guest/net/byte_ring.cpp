// See byte_ring.h. Nothing here sleeps: what is put and taken is whole when others run.
#include "guest/net/byte_ring.h"

#include <algorithm>

#include "guest/base/progress.h"
#include "guest/heap/heap.h"

namespace guest {
namespace {

constexpr std::uint32_t page_bytes = vmi::page_size;

std::uint32_t frames_held = 0;  // by all rings

/// A ring that is empty keeps its frames, so that what flows stays in the CPU's caches, unless all
/// rings together have more than so many (16 MiB, or a sixteenth of memory).
bool must_spare() {
  return frames_held > std::min(4096u, frames_total().number / 16);
}
/// They may have no more than a quarter: nobody else is killed for what lies in sockets.
bool must_not_grow() {
  return frames_held >= frames_total().number / 4;
}

}  // namespace

ByteRing::~ByteRing() {
  lent_ = 0;
  release_frames();
  heap_free(frames_);
}

void ByteRing::release_frames() {
  for (std::uint32_t slot = 0; slot < touched_; ++slot) {
    if (frames_[slot] == no_frame || is_lent(slot)) continue;
    frame_release(frames_[slot]);
    frames_[slot] = no_frame;
    --frames_held;
  }
  if (!lent_) touched_ = 0;
}

bool ByteRing::is_lent(std::uint32_t slot) const {
  const std::uint32_t behind = (slot + slots - first_ / page_bytes) % slots;
  return lent_ && behind <= (first_ % page_bytes + lent_ - 1) / page_bytes;
}

ByteRing::Segment ByteRing::segment(std::uint32_t at, std::uint32_t bytes) const {
  if (at < near_bytes) return {near_ + at, 0, at, std::min(bytes, near_bytes - at)};
  std::uint32_t slot = at / page_bytes, last = slot;
  const std::uint32_t wanted = std::min((at + bytes - 1) / page_bytes, slots - 1);
  while (last < wanted && frames_[last + 1] == frames_[last] + 1) ++last;
  return {nullptr, frames_[slot], at % page_bytes, std::min(bytes, (last + 1) * page_bytes - at)};
}

// Makes sure that there are frames behind a stretch, which may wrap.
Result<> ByteRing::reserve(std::uint32_t at, std::uint32_t bytes) {
  if (bytes == 0 || at + bytes <= near_bytes) return {};
  if (!frames_) {
    frames_ = static_cast<Frame*>(heap_allocate(slots * sizeof(Frame), HeapKind::file));
    if (!frames_) return Errno::nobufs;
    std::fill_n(frames_, slots, no_frame);
  }
  const std::uint32_t end = (at + bytes - 1) / page_bytes + 1;
  for (std::uint32_t page = at / page_bytes; page < end; ++page) {
    const std::uint32_t slot = page % slots;
    if (frames_[slot] != no_frame) continue;
    if (must_not_grow()) return Errno::nobufs;
    std::uint32_t room = 1;
    while (page + room < end && slot + room < slots && frames_[slot + room] == no_frame) ++room;
    auto run = frames_allocate(Frames(room));
    if (!run.ok()) return Errno::nobufs;
    for (std::uint32_t i = 0; i < run.value().count.number; ++i)
      frames_[slot + i] = run.value().first + i;
    frames_held += run.value().count.number;
    touched_ = std::max(touched_, slot + run.value().count.number);
  }
  return {};
}

Result<std::size_t> ByteRing::put(std::uint32_t ahead, Source from, std::size_t bytes) {
  const std::uint32_t begin = (first_ + used_ + ahead) % capacity;
  const auto wanted = static_cast<std::uint32_t>(bytes);
  TRY(reserve(begin, wanted));
  return in_parts(bytes, [&](std::size_t done) {
    const auto moved = static_cast<std::uint32_t>(done);
    const Segment to = segment((begin + moved) % capacity, wanted - moved);
    return to.near ? (from + done).move_to(to.near, to.bytes)
                   : (from + done).move_to_frame(to.frame, to.offset, to.bytes);
  });
}

Result<std::size_t> ByteRing::copy(std::uint32_t offset, UserAddress to, std::size_t bytes) const {
  return in_parts(bytes, [&](std::size_t done) {
    const auto moved = static_cast<std::uint32_t>(done);
    const std::uint32_t at = (first_ + offset + moved) % capacity;
    const Segment from = segment(at, static_cast<std::uint32_t>(bytes) - moved);
    return from.near ? move_to_user(to + done, from.near, from.bytes)
                     : frame_to_user(from.frame, from.offset, to + done, from.bytes);
  });
}

void ByteRing::drop(std::uint32_t bytes) {
  used_ -= bytes;
  first_ = used_ || lent_ ? (first_ + bytes) % capacity : 0;
  if (used_ == 0 && must_spare()) release_frames();
}

// -- Devices.

std::uint32_t ByteRing::pieces_of(std::uint32_t at, std::uint32_t bytes, Piece* pieces,
                                  std::uint32_t most) const {
  std::uint32_t count = 0;
  for (std::uint32_t done = 0; done < bytes && count < most; ++count) {
    const Segment one = segment((at + done) % capacity, bytes - done);
    const std::uint64_t begin = one.near
                                    ? reinterpret_cast<std::uint64_t>(one.near) - vmi::window_base
                                    : vmi::frame_offset(one.frame) + one.offset;
    pieces[count] = {begin, one.bytes};
    done += one.bytes;
  }
  return count;
}

std::uint32_t ByteRing::show(Piece* pieces, std::uint32_t most) const {
  return pieces_of(first_, used_, pieces, most);
}

Result<std::uint32_t> ByteRing::lend(Piece* pieces, std::uint32_t most, std::uint32_t bytes) {
  const std::uint32_t begin = (first_ + used_) % capacity;
  if (must_spare()) bytes = std::min(bytes, page_bytes);
  TRY(reserve(begin, bytes));
  const std::uint32_t count = pieces_of(begin, bytes, pieces, most);
  for (std::uint32_t i = 0; i < count; ++i) lent_ += static_cast<std::uint32_t>(pieces[i].bytes);
  return count;
}

}  // namespace guest
