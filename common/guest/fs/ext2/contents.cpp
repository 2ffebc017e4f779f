// Contents of regular files: a cache of pages in page frames over the image's blocks. Reading fills
// it some pages ahead; writing changes pages and leaves them there until write_back(). Blocks are
// allocated as pages are written, so that a full disk is told at once.
//
// Invariant: what a cached page holds behind the end of file is not believed; it is zeroed when the
// end moves past it, when it is written back, and when it is about to be mapped.
// User copies can serve page faults, which may come back here (see ram_file.cpp) or make memory
// short: nothing found before a copy is believed after it, and the pages that it works on are held
// meanwhile. A page that nobody but this cache holds may go whenever frames are allocated.
#include "guest/fs/ext2/node.h"
#include "guest/platform.h"
#include "guest/sched/pausing.h"
#include "guest/vfs/file_offsets.h"

namespace guest::ext2 {
namespace {

constexpr std::uint32_t read_ahead_pages = 32;
constexpr std::uint32_t write_ahead_pages = 64;

/// The pages under bytes [offset, offset + bytes) of `first` cannot be dropped while this lives.
class Held {
 public:
  Held(Frame first, std::uint64_t offset, std::uint64_t bytes)
      : run_{first, frames_for(vmi::pages_for(Bytes(offset + bytes)))} {
    frames_retain(run_);
  }
  ~Held() { frames_release(run_); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

 private:
  FrameRun run_;
};

}  // namespace

// -- Filling the cache.

// Reads pages from `page` on into fresh frames; holes and what lies behind the end become zeros.
// Trouble behind the first page only makes the run shorter.
Result<> Node::read_page_run(std::uint32_t page, FrameRun& frames) {
  std::uint32_t per_page = blocks_per_page(), unit = fs_.block_size();
  std::uint32_t total = frames.count.number * per_page, done = 0;
  auto end_block = (size_ + unit - 1) / unit;
  while (done < total) {
    std::uint64_t block = std::uint64_t{page} * per_page + done;
    BlockRun run{0, total - done};
    Result<> moved;
    if (block < end_block) {
      auto max = static_cast<std::uint32_t>(least(total - done, end_block - block));
      auto mapped = map(static_cast<std::uint32_t>(block), max);
      if (mapped.ok())
        run = mapped.value();
      else
        moved = mapped.error();
    }
    std::uint64_t offset = std::uint64_t{done} * unit, bytes = std::uint64_t{run.count} * unit;
    if (!moved.ok()) {
    } else if (run.first) {
      moved =
          fs_.device().read_frames(std::uint64_t{run.first} * unit, frames.first, offset, bytes);
    } else {
      zero_frame_bytes(frames.first, offset, bytes);
    }
    if (!moved.ok()) {
      const Frames whole(done / per_page);
      if (!whole) return moved;
      frames_release({frames.first + whole, frames.count - whole});
      frames.count = whole;
      return {};
    }
    done += run.count;
  }
  return {};
}

// 1..wanted frames for pages from `page` on, behind the frame of the page before if that can be
// had.
Result<FrameRun> Node::take_frames(std::uint32_t page, Frames wanted) {
  fs_.limit_cache();
  auto before = page ? pages_.span(page - 1) : FileRuns::Span{true, 0, 0};
  if (!before.hole) {
    auto next = frames_allocate_at(before.frame + 1, wanted);
    if (next.ok()) return next;
  }
  return frames_allocate(wanted);
}

// Puts 1..wanted pages from `page` on, which is not cached, into the cache.
Result<> Node::fill(std::uint32_t page, std::uint32_t wanted) {
  FrameRun frames = TRY(take_frames(page, Frames(wanted)));
  auto filled = read_page_run(page, frames);
  if (filled.ok()) filled = pages_.insert(page, frames);
  if (!filled.ok()) {
    frames_release(frames);
    return filled;
  }
  if (std::uint64_t used = offset_in_page(size_);
      used && page + frames.count.number >= pages_in_size() && page < pages_in_size())
    zero_frame_bytes(frames.first + (pages_in_size() - 1 - page), used, vmi::page_size - used);
  return {};
}

// The cached stretch from `page` on, read first if need be.
Result<FileRuns::Span> Node::cached(std::uint32_t page, std::uint32_t wanted) {
  auto span = pages_.span(page);
  if (!span.hole) return span;
  if (wanted < read_ahead_pages) wanted = read_ahead_pages;
  if (wanted > 4 * read_ahead_pages) wanted = 4 * read_ahead_pages;
  std::uint32_t in_file = page < pages_in_size() ? pages_in_size() - page : 1;
  wanted = static_cast<std::uint32_t>(least(least(wanted, span.pages), in_file));
  TRY(fill(page, wanted));
  return pages_.span(page);
}

// -- Reading.

Result<std::size_t> Node::read(std::uint64_t at, UserAddress to, std::size_t bytes) {
  if (is(mode_directory)) return Errno::isdir;
  if (!is(mode_regular)) return Errno::inval;
  if (at >= size_) return std::size_t{0};
  bytes = least(bytes, size_ - at);
  return in_parts_with_pauses(bytes, [&](std::size_t done) -> Result<std::size_t> {
    const std::uint64_t now = at + done;
    if (now >= size_) return std::size_t{0};
    auto span = TRY(cached(page_of(now), page_of(at + bytes - 1) - page_of(now) + 1));
    std::uint64_t room = (std::uint64_t{span.pages} << vmi::page_shift) - offset_in_page(now);
    std::size_t part = least(least(least(bytes - done, room), size_ - now), pause_bytes);
    Held held(span.frame, offset_in_page(now), part);
    return frame_to_user(span.frame, offset_in_page(now), to + done, part);
  });
}

Result<std::size_t> Node::peek(std::uint64_t at, void* to, std::size_t bytes) {
  if (!is(mode_regular)) return Errno::inval;
  if (at >= size_) return std::size_t{0};
  bytes = least(bytes, size_ - at);
  auto* out = static_cast<std::uint8_t*>(to);
  for (std::size_t done = 0; done < bytes;) {
    auto span = TRY(cached(page_of(at + done), 1));
    std::size_t part = least(bytes - done, vmi::page_size - offset_in_page(at + done));
    hypercalls().peek_frame(span.frame, Bytes(offset_in_page(at + done)), out + done, Bytes(part));
    done += part;
  }
  return bytes;
}

Result<FrameRun> Node::pages(std::uint64_t page, Frames max) {
  if (!is(mode_regular)) return Errno::nodev;
  if (page >= pages_in_size()) return Errno::io;
  auto first = static_cast<std::uint32_t>(page);
  auto span = TRY(cached(first, max.number));
  auto count =
      static_cast<std::uint32_t>(least(least(span.pages, max.number), pages_in_size() - first));
  if (std::uint64_t used = offset_in_page(size_); used && first + count == pages_in_size())
    zero_frame_bytes(span.frame + count - 1, used, vmi::page_size - used);
  return FrameRun{span.frame, Frames(count)};
}

bool Node::has_page(std::uint64_t page) const {
  return page < pages_in_size() && !pages_.span(static_cast<std::uint32_t>(page)).hole;
}

// -- Writing.

// Blocks for all bytes in [at, end).
Result<> Node::blocks_for(std::uint64_t at, std::uint64_t end) {
  std::uint32_t unit = fs_.block_size();
  auto block = static_cast<std::uint32_t>(at / unit);
  auto last = static_cast<std::uint32_t>((end + unit - 1) / unit);
  while (block < last) block += TRY(map_or_allocate(block, last - block)).count;
  return {};
}

// Zeros in what the cache holds of [from, to), in one page: it comes into view, or leaves it.
Result<> Node::clear_tail(std::uint64_t from, std::uint64_t to) {
  if (offset_in_page(from) == 0) return {};
  std::uint64_t end = least(to, from - offset_in_page(from) + vmi::page_size);
  auto span = TRY(cached(page_of(from), 1));
  zero_frame_bytes(span.frame, offset_in_page(from), end - from);
  return mark_dirty(page_of(from), 1);
}

// Puts 1..wanted fresh pages from `page` on into the cache, with `bytes` of a write in them and
// zeros behind. They show only once they are whole: a copy that fails changes nothing. EAGAIN: it
// came some way, or has served faults on this file and brought the pages in. Returns how many.
Result<std::uint32_t> Node::insert_copy(std::uint32_t page, std::uint32_t wanted, Source from,
                                        std::size_t bytes) {
  FrameRun frames = TRY(take_frames(page, Frames(wanted)));
  std::size_t room = bytes_of(frames.count).number, part = least(bytes, room);
  if (part < room) zero_frame_bytes(frames.first, part, room - part);
  auto outcome = [&]() -> Result<> {
    if (TRY(from.move_to_frame(frames.first, 0, part)) < part) return Errno::again;
    auto span = pages_.span(page);
    if (!span.hole || span.pages < frames.count.number) return Errno::again;
    return pages_.insert(page, frames);
  }();
  if (outcome.ok()) return frames.count.number;
  frames_release(frames);
  return outcome.error();
}

// Whole pages at the end of the file, as many as one run of frames takes. Where the disk is full or
// a copy fails it writes one page, so that what does get written ends at the right one.
Result<std::size_t> Node::append_pages(std::uint64_t at, Source from, std::size_t bytes) {
  auto wanted = static_cast<std::uint32_t>(least(bytes >> vmi::page_shift, write_ahead_pages));
  // Blocks for all of them at once: one by one, two writers' would interleave.
  auto allocated = blocks_for(at, at + (std::uint64_t{wanted} << vmi::page_shift));
  if (!allocated.ok()) return write_page(at, from, bytes);
  auto inserted = insert_copy(page_of(at), wanted, from, bytes);
  if (!inserted.ok()) return write_page(at, from, bytes);
  std::size_t part = std::size_t{inserted.value()} << vmi::page_shift;
  TRY(mark_dirty(page_of(at), inserted.value()));
  size_ = at + part;
  return part;
}

// Are bytes of a page about to be written of which nothing has to be read, since it is not cached
// and nothing of its old contents stays? Its blocks must be there already or lie behind the end: a
// hole that gets a block shows what the block held if the write then fails.
Result<bool> Node::replaces(std::uint64_t at, std::size_t bytes) {
  bool whole = offset_in_page(at) == 0 && (bytes == vmi::page_size || at + bytes >= size_);
  if (!whole || !pages_.span(page_of(at)).hole) return false;
  std::uint32_t unit = fs_.block_size();
  auto block = static_cast<std::uint32_t>(at / unit);
  auto end = static_cast<std::uint32_t>((least(at + bytes, size_) + unit - 1) / unit);
  while (block < end) {
    BlockRun run = TRY(map(block, end - block));
    if (run.first == 0) return false;
    block += run.count;
  }
  return true;
}

// One page's worth at most.
Result<std::size_t> Node::write_page(std::uint64_t at, Source from, std::size_t bytes) {
  std::size_t part = least(bytes, vmi::page_size - offset_in_page(at));
  std::uint32_t page = page_of(at);
  if (TRY(replaces(at, part))) {
    TRY(blocks_for(at, at + part));
    auto inserted = insert_copy(page, 1, from, part);
    if (inserted.ok()) {
      TRY(mark_dirty(page, 1));
      if (at + part > size_) size_ = at + part;
      return part;
    }
    if (inserted.error() != Errno::again) return inserted.error();
  }
  TRY(cached(page, 1));
  // Dirty before the copy: blocks that were a hole must get zeros even if it fails. And again
  // behind it, because a fault on the way may have written the page back.
  TRY(mark_dirty(page, 1));
  TRY(blocks_for(at, at + part));
  Frame frame = pages_.span(page).frame;
  Held held(frame, offset_in_page(at), part);
  GrowingEnd end(at, [this](std::uint64_t reached) {
    if (reached > size_) size_ = reached;
  });
  auto copied = from.move_to_frame(frame, offset_in_page(at), part, &end);
  TRY(mark_dirty(page, 1));
  if (copied.ok()) end.have_moved(copied.value());
  return copied;
}

Result<std::size_t> Node::write(std::uint64_t at, Source from, std::size_t bytes) {
  if (!is(mode_regular)) return Errno::inval;
  TRY(fs_.check_writable());
  if (bytes == 0) return std::size_t{0};
  TRY(fs_.begin_change());
  if (at >= max_size()) return Errno::fbig;
  bytes = least(bytes, max_size() - at);
  if (at > size_) TRY(open_tail(at));
  bool failed = false;
  auto done = in_parts(bytes, [&](std::size_t begun) {
    const std::uint64_t now = at + begun;
    const std::size_t left = bytes - begun;
    bool appends = offset_in_page(now) == 0 && now >= size_ && left >= vmi::page_size;
    auto part =
        appends ? append_pages(now, from + begun, left) : write_page(now, from + begun, left);
    failed = !part.ok();
    return part;
  });
  std::uint32_t unit = fs_.block_size();
  if (failed && !fs_.read_only()) {
    // Blocks behind the end must not stay.
    (void)free_blocks_from((size_ + unit - 1) / unit);
    forget_dirty_from(pages_in_size());
    pages_.cut(pages_in_size());
    (void)store();
  }
  if (!done.ok()) return done;
  if (!touch().ok()) lost_ = true;  // the bytes are in the cache: what is lost is for sync to tell
  fs_.limit_dirty(page_of(done.value()) + 1);
  return done;
}

Result<> Node::truncate(std::uint64_t size) {
  if (!is(mode_regular)) return is(mode_directory) ? Errno::isdir : Errno::inval;
  TRY(fs_.check_writable());
  if (size > max_size()) return Errno::fbig;
  TRY(fs_.begin_change());
  bool shorter = size < size_;
  if (shorter) TRY(mappings.cut(size));
  TRY(shorter ? clear_tail(size, size_) : open_tail(size));
  size_ = size;
  if (shorter) {
    std::uint32_t unit = fs_.block_size();
    forget_dirty_from(pages_in_size());
    pages_.cut(pages_in_size());
    TRY(free_blocks_from((size_ + unit - 1) / unit));
  }
  return touch();
}

}  // namespace guest::ext2
