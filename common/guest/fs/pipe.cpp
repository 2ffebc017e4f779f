// Pipe: the ring, see pipe.h. Reads and writes run in the system calls of both ends' processes;
// whoever cannot go on waits on the queue of its own side and looks again when woken.
#include "guest/fs/pipe.h"

#include "guest/abi/file_flags.h"

namespace guest {
namespace {

std::uint32_t least(std::size_t a, std::size_t b) {
  return static_cast<std::uint32_t>(a < b ? a : b);
}

}  // namespace

Pipe::Pipe() {
  for (Frame& frame : frames_) frame = no_frame;
}

Pipe::~Pipe() {
  for (Frame frame : frames_)
    if (frame != no_frame) frame_release(frame);
}

Pipe::Segment Pipe::segment(std::uint32_t at, std::uint32_t bytes) {
  if (at < near_bytes) return {near_ + at, 0, 0, least(bytes, near_bytes - at)};
  std::uint32_t slot = at / vmi::page_size, last = slot;
  while (last + 1 < slots && frames_[last + 1] == frames_[last] + 1) ++last;
  std::uint32_t end = (last + 1) * vmi::page_size;
  return {nullptr, frames_[slot], static_cast<std::uint32_t>(at % vmi::page_size),
          least(bytes, end - at)};
}

// Makes sure that there are frames behind the stretch that a write is about to fill. It may wrap.
Result<> Pipe::reserve(std::uint32_t at, std::uint32_t bytes) {
  for (std::uint32_t done = 0; done < bytes;) {
    std::uint32_t offset = (at + done) % capacity;
    std::uint32_t slot = offset / vmi::page_size;
    std::uint32_t in_slot = vmi::page_size - offset % vmi::page_size;
    bool needed = offset >= near_bytes || bytes - done > near_bytes - offset;
    if (needed && frames_[slot] == no_frame) {
      std::uint32_t wanted =
          1 + (bytes - done > in_slot ? (bytes - done - in_slot - 1) / vmi::page_size + 1 : 0);
      std::uint32_t room = 1;
      while (room < wanted && slot + room < slots && frames_[slot + room] == no_frame) ++room;
      FrameRun run = TRY(frames_allocate(room));
      for (std::uint32_t i = 0; i < run.count; ++i) frames_[slot + i] = run.first + i;
    }
    done += in_slot;
  }
  return {};
}

// Moves up to `bytes` of what is there; the copied bytes leave the ring even if a later one hits a
// bad address.
Result<std::size_t> Pipe::take(UserAddress to, std::size_t bytes) {
  std::uint32_t wanted = least(bytes, used_);
  std::uint32_t done = 0;
  while (done < wanted) {
    Segment from = segment(first_, wanted - done);
    auto copied = from.near ? copy_to_user(to + done, from.near, from.bytes)
                            : frame_to_user(from.frame, from.offset, to + done, from.bytes);
    if (!copied.ok()) {
      if (done) break;
      return copied.error();
    }
    done += from.bytes;
    used_ -= from.bytes;
    first_ = used_ ? (first_ + from.bytes) % capacity : 0;
  }
  return std::size_t{done};
}

Result<std::size_t> Pipe::put(Source from, std::size_t bytes) {
  std::uint32_t wanted = least(bytes, space());
  TRY(reserve((first_ + used_) % capacity, wanted));
  std::uint32_t done = 0;
  while (done < wanted) {
    Segment to = segment((first_ + used_) % capacity, wanted - done);
    auto copied = to.near ? (from + done).copy_to(to.near, to.bytes)
                          : (from + done).copy_to_frame(to.frame, to.offset, to.bytes);
    if (!copied.ok()) {
      if (done) break;
      return copied.error();
    }
    done += to.bytes;
    used_ += to.bytes;
  }
  return std::size_t{done};
}

Result<std::size_t> Pipe::read(UserAddress to, std::size_t bytes, bool nonblocking) {
  if (bytes == 0) return std::size_t{0};
  while (used_ == 0) {
    if (writers_ == 0) return std::size_t{0};
    if (nonblocking) return Errno::again;
    TRY(can_read.wait());
  }
  bool was_short = space() < abi::pipe_buf;
  std::size_t done = TRY(take(to, bytes));
  // Writers wait only while a PIPE_BUF of bytes does not fit.
  if (was_short) can_write.wake_all();
  return done;
}

Result<std::size_t> Pipe::write(Source from, std::size_t bytes, bool nonblocking) {
  if (bytes == 0) return std::size_t{0};
  std::size_t at_once = bytes <= abi::pipe_buf ? bytes : 1;
  std::size_t done = 0;
  while (done < bytes) {
    if (readers_ == 0) {
      if (done) break;
      return Errno::pipe;
    }
    if (space() < at_once) {
      if (nonblocking) {
        if (done) break;
        return Errno::again;
      }
      auto waited = can_write.wait();
      if (waited.ok()) continue;
      if (done) break;
      return waited.error();
    }
    auto part = put(from + done, bytes - done);
    if (!part.ok()) {
      if (done) break;
      return part.error();
    }
    done += part.value();
    can_read.wake_all();
  }
  return done;
}

void Pipe::add_reader() {
  ++readers_;
  ++readers_seen;
  can_write.wake_all();
}
void Pipe::add_writer() {
  ++writers_;
  ++writers_seen;
  can_read.wake_all();
}
void Pipe::drop_reader() {
  if (--readers_ == 0) can_write.wake_all();
}
void Pipe::drop_writer() {
  if (--writers_ == 0) can_read.wake_all();
}

}  // namespace guest
