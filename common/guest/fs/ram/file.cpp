// RamFile: regular files in page frames. Data moves between frame and user memory in one step per
// run; the kernel never sees it. User copies can serve page faults, which may come back here
// (a file mapped into memory is the buffer of its own read), so nothing found before a copy is
// believed after it.
#include <algorithm>

#include "guest/abi/file_flags.h"
#include "guest/fs/ram/ramfs.h"
#include "guest/platform.h"
#include "guest/sched/pausing.h"
#include "guest/vfs/file_offsets.h"

namespace guest {
namespace {

constexpr std::uint64_t max_file_size = 1ull << 43;  // page numbers are 32 bits wide
constexpr std::uint32_t max_growth_pages = 1024;     // most that an append takes in advance
// Files leave 1/32 of memory alone: whoever fills the disk must be able to say so.
constexpr std::uint32_t share_kept_from_files = 32;

// Bytes from `at` to the end of a stretch of `pages` pages that begins with at's page.
std::uint64_t bytes_in_span(std::uint64_t at, std::uint32_t pages) {
  return (static_cast<std::uint64_t>(pages) << vmi::page_shift) - offset_in_page(at);
}

}  // namespace

std::uint32_t RamFile::pages_in_size() const {
  return page_of(size_ + vmi::page_size - 1);
}

Stat RamFile::stat() {
  Stat s = RamInode::stat();
  s.size = size_;
  s.blocks512 = static_cast<std::uint64_t>(runs_.frames()) * (vmi::page_size / 512);
  return s;
}

Result<std::size_t> RamFile::read(std::uint64_t at, UserAddress to, std::size_t bytes) {
  if (at >= size_) return std::size_t{0};
  bytes = least(bytes, size_ - at);
  return in_parts_with_pauses(bytes, [&](std::size_t done) -> Result<std::size_t> {
    const std::uint64_t now = at + done;
    if (now >= size_) return std::size_t{0};
    auto span = runs_.span(page_of(now));
    std::size_t part = least(least(bytes - done, bytes_in_span(now, span.pages)), size_ - now);
    part = least(part, pause_bytes);
    return span.hole ? move_zeros_to_user(to + done, part)
                     : frame_to_user(span.frame, offset_in_page(now), to + done, part);
  });
}

Result<std::size_t> RamFile::peek(std::uint64_t at, void* to, std::size_t bytes) {
  if (at >= size_) return std::size_t{0};
  bytes = least(bytes, size_ - at);
  auto* out = static_cast<std::uint8_t*>(to);
  for (std::size_t done = 0; done < bytes;) {
    auto span = runs_.span(page_of(at + done));
    std::size_t part = least(bytes - done, bytes_in_span(at + done, span.pages));
    if (span.hole) {
      for (std::size_t i = 0; i < part; ++i) out[done + i] = 0;
    } else {
      hypercalls().peek_frame(span.frame, Bytes(offset_in_page(at + done)), out + done,
                              Bytes(part));
    }
    done += part;
  }
  return bytes;
}

Result<std::size_t> RamFile::write(std::uint64_t at, Source from, std::size_t bytes) {
  if (bytes == 0) return std::size_t{0};
  if (at >= max_file_size) return Errno::fbig;
  bytes = TRY(sealed_room(at, least(bytes, max_file_size - at)));
  if (at > size_) leave_gap(at);
  auto done = in_parts(bytes, [&](std::size_t begun) {
    return write_span(at + begun, from + begun, bytes - begun);
  });
  if (done.ok()) modified();
  return done;
}

// Writes as far as one run reaches, making one where there is a hole.
Result<std::size_t> RamFile::write_span(std::uint64_t at, Source from, std::size_t bytes) {
  auto page = page_of(at);
  auto span = runs_.span(page);
  if (span.hole) {
    auto needed = page_of(offset_in_page(at) + bytes + vmi::page_size - 1);
    TRY(fill_hole(page, static_cast<std::uint32_t>(least(needed, span.pages))));
    span = runs_.span(page);
    // The first page's head is part of the file now, whether it was a hole or lay behind the end.
    if (page >= pages_in_size()) zero_frame_bytes(span.frame, 0, offset_in_page(at));
  }
  std::size_t part = least(bytes, bytes_in_span(at, span.pages));
  GrowingEnd end(at, [this](std::uint64_t reached) {
    if (reached <= size_) return;
    size_ = reached;
    tail_clean_ = offset_in_page(size_) == 0;
  });
  part = TRY(from.move_to_frame(span.frame, offset_in_page(at), part, &end));
  end.have_moved(part);
  return part;
}

// 1..wanted frames for the hole at `page`: those behind the frame of the page before, if they are
// free, so that the two runs become one.
Result<FrameRun> RamFile::allocate_frames(std::uint32_t page, std::uint32_t wanted) {
  const Frames kept_back = frames_total() / share_kept_from_files;
  if (frames_free() <= kept_back) return Errno::nospc;
  const Frames most = std::min(Frames(wanted), frames_free() - kept_back);
  if (page > 0) {
    auto before = runs_.span(page - 1);
    if (!before.hole) {
      auto next = frames_allocate_at(before.frame + 1, most);
      if (next.ok()) return next.value();
    }
  }
  auto anywhere = frames_allocate(most);
  if (!anywhere.ok()) return Errno::nospc;
  return anywhere.value();
}

// Puts frames in the hole at `page`: `wanted` pages or fewer, and when the file grows at its end,
// as many again as it has, so that a file written little by little still gets few runs. (What is
// too much goes back when the writer closes the file.) Frames below the end of file are zeroed;
// those behind it are left as they are.
Result<> RamFile::fill_hole(std::uint32_t page, std::uint32_t wanted) {
  bool growing = page >= pages_in_size() && page >= runs_.end();
  if (growing) {
    auto ahead = static_cast<std::uint32_t>(least(runs_.frames(), max_growth_pages));
    if (wanted < ahead) wanted = ahead;
  }
  FrameRun run = TRY(allocate_frames(page, wanted));
  if (page < pages_in_size() && !frames_are_fresh(run))
    hypercalls().zero_frames(run.first, run.count);
  auto inserted = runs_.insert(page, run);
  if (!inserted.ok()) frames_release(run);
  return inserted;
}

// Zeroes what frames there are from the end of file to the end of the page that `to` lies in: the
// end is about to move there.
void RamFile::clear_behind_end(std::uint64_t to) {
  const std::uint64_t end = std::uint64_t{page_of(to + vmi::page_size - 1)} << vmi::page_shift;
  for (std::uint64_t from = size_; from < end;) {
    auto span = runs_.span(page_of(from));
    std::uint64_t part = least(end - from, bytes_in_span(from, span.pages));
    if (!span.hole) zero_frame_bytes(span.frame, offset_in_page(from), part);
    from += part;
  }
  tail_clean_ = true;
}

// The end is about to move to `to`, and nobody writes between: whole pages there are a hole, even
// if frames were set aside for them.
void RamFile::leave_gap(std::uint64_t to) {
  if (page_of(to) > pages_in_size()) runs_.cut(pages_in_size());
  clear_behind_end(to);
}

Result<> RamFile::truncate(std::uint64_t size) {
  if (size > max_file_size) return Errno::fbig;
  if (sealed(size < size_ ? abi::seal_shrink : size > size_ ? abi::seal_grow : 0))
    return Errno::perm;
  if (size < size_) {
    TRY(mappings.cut(size));
    size_ = size;
    runs_.cut(pages_in_size());
    tail_clean_ = false;
  }
  // Now, not when somebody asks: who has the last page mapped already will not.
  leave_gap(size);
  size_ = size;
  modified();
  return {};
}

Result<std::uint64_t> RamFile::next(bool data, std::uint64_t at) {
  while (at < size_) {
    const auto span = runs_.span(page_of(at));
    if (span.hole != data) return at;
    at += bytes_in_span(at, span.pages);
  }
  return data ? Result<std::uint64_t>(Errno::nxio) : size_;
}

// A page that somebody has mapped keeps its frame, as a page of zeros.
Result<> RamFile::punch(std::uint64_t begin, std::uint64_t end) {
  if (sealed(abi::seal_write | abi::seal_future_write)) return Errno::perm;
  for (std::uint64_t at = begin, part; at < end; at += part) {
    const auto span = runs_.span(page_of(at));
    part = least(end - at,
                 span.hole ? bytes_in_span(at, span.pages) : vmi::page_size - offset_in_page(at));
    if (span.hole) continue;
    const bool whole = offset_in_page(at) == 0 && (part == vmi::page_size || at + part == size_);
    const bool dropped = whole && frame_references(span.frame) == 1 && runs_.drop(page_of(at)).ok();
    if (!dropped) zero_frame_bytes(span.frame, offset_in_page(at), part);
  }
  modified();
  return {};
}

Result<FrameRun> RamFile::pages(std::uint64_t page, Frames max) {
  if (page >= pages_in_size()) return Errno::io;
  auto first = static_cast<std::uint32_t>(page);
  if (runs_.span(first).hole) TRY(fill_hole(first, 1));
  auto span = runs_.span(first);
  const Frames count = std::min(max, Frames(std::min(span.pages, pages_in_size() - first)));
  if (!tail_clean_) clear_behind_end(size_);
  return FrameRun{span.frame, count};
}

bool RamFile::has_page(std::uint64_t page) const {
  return page < pages_in_size() && !runs_.span(static_cast<std::uint32_t>(page)).hole;
}

void RamFile::closed(std::uint32_t flags) {
  if (abi::may_write(flags)) runs_.cut(pages_in_size());
}

Result<> RamFile::adopt(FrameRun frames, std::uint64_t size) {
  if (frames.count) TRY(runs_.insert(0, frames));
  size_ = size;
  return {};
}

}  // namespace guest
