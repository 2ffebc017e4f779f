// Pipe: the ring, see pipe.h. Reads and writes run in the system calls of both ends' processes;
// whoever cannot go on waits for what the other side will say, and looks again when woken.
#include "guest/fs/pipe/pipe.h"

#include "guest/abi/file_flags.h"
#include "guest/base/progress.h"

namespace guest {
namespace {

constexpr std::uint32_t page_bytes = vmi::page_size;

std::uint32_t least(std::size_t a, std::size_t b) {
  return static_cast<std::uint32_t>(a < b ? a : b);
}

/// As on Linux, where a pipe is a list of pages: when a copy that began at offset `at` stops on the
/// way, what it has moved of the page in which it stopped does not count.
std::uint32_t whole_pages(std::uint32_t at, std::size_t moved, std::uint32_t wanted) {
  const auto done = static_cast<std::uint32_t>(moved);
  const auto beyond = static_cast<std::uint32_t>((at + moved) % vmi::page_size);
  return done == wanted ? done : beyond < done ? done - beyond : 0;
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
  std::uint32_t slot = at / page_bytes, last = slot;
  while (last + 1 < slots && frames_[last + 1] == frames_[last] + 1) ++last;
  std::uint32_t end = (last + 1) * page_bytes;
  return {nullptr, frames_[slot], at % page_bytes, least(bytes, end - at)};
}

// Makes sure that there are frames behind the stretch that a write is about to fill. It may wrap.
Result<> Pipe::reserve(std::uint32_t at, std::uint32_t bytes) {
  for (std::uint32_t done = 0; done < bytes;) {
    std::uint32_t offset = (at + done) % capacity;
    std::uint32_t slot = offset / page_bytes;
    std::uint32_t in_slot = page_bytes - offset % page_bytes;
    bool needed = offset >= near_bytes || bytes - done > near_bytes - offset;
    if (needed && frames_[slot] == no_frame) {
      std::uint32_t wanted =
          1 + (bytes - done > in_slot ? (bytes - done - in_slot - 1) / page_bytes + 1 : 0);
      std::uint32_t room = 1;
      while (room < wanted && slot + room < slots && frames_[slot + room] == no_frame) ++room;
      FrameRun run = TRY(frames_allocate(Frames(room)));
      for (std::uint32_t i = 0; i < run.count.number; ++i) frames_[slot + i] = run.first + i;
    }
    done += in_slot;
  }
  return {};
}

// Moves up to `bytes` of what is there.
Result<std::size_t> Pipe::take(UserAddress to, std::size_t bytes) {
  const std::uint32_t wanted = least(bytes, used_);
  const std::size_t moved = TRY(in_parts(wanted, [&](std::size_t done) {
    const auto at = first_ + static_cast<std::uint32_t>(done);
    Segment from = segment(at % capacity, least(wanted - done, wanted));
    return from.near ? move_to_user(to + done, from.near, from.bytes)
                     : frame_to_user(from.frame, from.offset, to + done, from.bytes);
  }));
  const std::uint32_t taken = whole_pages(first_, moved, wanted);
  if (taken == 0) return Errno::fault;
  drop(taken);
  return std::size_t{taken};
}

std::size_t Pipe::peek(std::uint32_t skip, std::uint8_t* to, std::size_t bytes) {
  const std::uint32_t wanted = least(bytes, used_ - skip);
  for (std::uint32_t done = 0; done < wanted;) {
    const Segment from = segment((first_ + skip + done) % capacity, wanted - done);
    if (from.near)
      __builtin_memcpy(to + done, from.near, from.bytes);
    else
      hypercalls().peek_frame(from.frame, Bytes(from.offset), to + done, Bytes(from.bytes));
    done += from.bytes;
  }
  return wanted;
}

void Pipe::drop(std::uint32_t bytes) {
  // Writers wait only while a PIPE_BUF of bytes does not fit.
  const bool was_short = space() < abi::pipe_buf;
  used_ -= bytes;
  first_ = used_ ? (first_ + bytes) % capacity : 0;
  if (was_short) events.notify(abi::poll_out | abi::poll_wrnorm);
}

Result<std::size_t> Pipe::put(Source from, std::size_t bytes) {
  const std::uint32_t wanted = least(bytes, space()), begin = first_ + used_;
  TRY(reserve(begin % capacity, wanted));
  const std::size_t moved = TRY(in_parts(wanted, [&](std::size_t done) {
    const auto at = begin + static_cast<std::uint32_t>(done);
    Segment to = segment(at % capacity, least(wanted - done, wanted));
    return to.near ? (from + done).move_to(to.near, to.bytes)
                   : (from + done).move_to_frame(to.frame, to.offset, to.bytes);
  }));
  const std::uint32_t given = whole_pages(0, moved, wanted);
  if (given == 0) return Errno::fault;
  used_ += given;
  return std::size_t{given};
}

Result<std::size_t> Pipe::read(UserAddress to, std::size_t bytes, bool nonblocking) {
  if (bytes == 0 || !TRY(wait_for_bytes(nonblocking))) return std::size_t{0};
  return take(to, bytes);
}

Result<bool> Pipe::wait_for_bytes(bool nonblocking) {
  while (used_ == 0 || is_taken_) {
    if (used_ == 0 && writers_ == 0) return false;
    if (nonblocking) return Errno::again;
    TRY(events.wait(abi::poll_in | abi::poll_hup));
  }
  return true;
}

Result<> Pipe::wait_for_room(bool nonblocking) {
  for (;;) {
    if (readers_ == 0) return Errno::pipe;
    if (space() >= abi::pipe_buf) return {};
    if (nonblocking) return Errno::again;
    TRY(events.wait(abi::poll_out | abi::poll_err));
  }
}

Pipe::Taking::~Taking() {
  pipe_.is_taken_ = false;
  if (pipe_.used_ || pipe_.writers_ == 0) pipe_.events.notify(abi::poll_in | abi::poll_rdnorm);
}

Result<std::size_t> Pipe::write(Source from, std::size_t bytes, bool nonblocking) {
  if (bytes == 0) return std::size_t{0};
  std::size_t at_once = bytes <= abi::pipe_buf ? bytes : 1;
  return in_parts(bytes, [&](std::size_t done) -> Result<std::size_t> {
    for (;;) {
      if (readers_ == 0) return Errno::pipe;
      if (space() >= at_once) break;
      if (nonblocking) return Errno::again;
      TRY(events.wait(abi::poll_out | abi::poll_err));
    }
    const std::size_t part = TRY(put(from + done, bytes - done));
    events.notify(abi::poll_in | abi::poll_rdnorm);
    return part;
  });
}

void Pipe::add_reader() {
  ++readers_;
  ++readers_seen;
  opened.notify();
}
void Pipe::add_writer() {
  ++writers_;
  ++writers_seen;
  opened.notify();
}
void Pipe::drop_reader() {
  if (--readers_ == 0) events.notify(abi::poll_out | abi::poll_wrnorm | abi::poll_err);
}
void Pipe::drop_writer() {
  if (--writers_ == 0) events.notify(abi::poll_in | abi::poll_rdnorm | abi::poll_hup);
}

}  // namespace guest
