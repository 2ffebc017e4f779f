// Contents of regular files: a cache of pages in page frames over the image's blocks. Reading fills
// it some pages ahead; writing changes pages and leaves them there until write_back(). Blocks are
// allocated as pages are written, so that a full disk is told at once.
//
// Invariant: what a cached page holds behind the end of file is not believed; it is zeroed when the
// end moves past it, when it is written back, and when it is about to be mapped.
// User copies can serve page faults, which may come back here (see ram_file.cpp): nothing found
// before a copy is believed after it, and `busy_` keeps the pages from being dropped meanwhile.
#include "guest/fs/ext2/node.h"
#include "guest/platform.h"

namespace guest::ext2 {
namespace {

constexpr std::uint32_t read_ahead_pages = 32;
constexpr std::uint32_t write_ahead_pages = 64;
constexpr std::size_t max_dirty_ranges = 32;

constexpr std::uint32_t page_of(std::uint64_t at) {
  return static_cast<std::uint32_t>(at >> vmi::page_shift);
}
constexpr std::uint64_t offset_in_page(std::uint64_t at) {
  return at % vmi::page_size;
}
constexpr std::uint64_t least(std::uint64_t a, std::uint64_t b) {
  return a < b ? a : b;
}

class Busy {
 public:
  explicit Busy(std::uint32_t& count) : count_(count) { ++count_; }
  ~Busy() { --count_; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  std::uint32_t& count_;
};

}  // namespace

// -- Filling the cache.

// Reads pages from `page` on into fresh frames; holes and what lies behind the end become zeros.
// Trouble behind the first page only makes the run shorter.
Result<> Node::read_page_run(std::uint32_t page, FrameRun& frames) {
  std::uint32_t per_page = blocks_per_page(), unit = fs_.block_size();
  std::uint32_t total = frames.count * per_page, done = 0;
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
      std::uint32_t whole = done / per_page;
      if (whole == 0) return moved;
      frame_release(frames.first + whole, frames.count - whole);
      frames.count = whole;
      return {};
    }
    done += run.count;
  }
  return {};
}

// Puts 1..wanted pages from `page` on, which is not cached, into the cache.
Result<> Node::fill(std::uint32_t page, std::uint32_t wanted) {
  fs_.limit_cache();
  FrameRun frames{0, 0};
  if (page > 0) {
    auto before = pages_.span(page - 1);
    if (!before.hole) {
      auto next = frames_allocate_at(before.frame + 1, wanted);
      if (next.ok()) frames = next.value();
    }
  }
  if (frames.count == 0) frames = TRY(frames_allocate(wanted));
  auto filled = read_page_run(page, frames);
  if (filled.ok()) filled = pages_.insert(page, frames);
  if (!filled.ok()) {
    frame_release(frames.first, frames.count);
    return filled;
  }
  if (std::uint64_t used = offset_in_page(size_);
      used && page + frames.count >= pages_in_size() && page < pages_in_size())
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
  Busy busy(busy_);
  bytes = least(bytes, size_ - at);
  std::size_t done = 0;
  while (done < bytes && at < size_) {
    auto span = cached(page_of(at), page_of(at + (bytes - done) - 1) - page_of(at) + 1);
    Result<> copied = span.ok() ? Result<>() : span.error();
    std::size_t part = 0;
    if (copied.ok()) {
      std::uint64_t room =
          (std::uint64_t{span.value().pages} << vmi::page_shift) - offset_in_page(at);
      part = least(bytes - done, room);
      copied = frame_to_user(span.value().frame, offset_in_page(at), to + done, part);
    }
    if (!copied.ok()) {
      if (done) break;
      return copied.error();
    }
    done += part;
    at += part;
  }
  return done;
}

Result<std::size_t> Node::peek(std::uint64_t at, void* to, std::size_t bytes) {
  if (!is(mode_regular)) return Errno::inval;
  if (at >= size_) return std::size_t{0};
  bytes = least(bytes, size_ - at);
  auto* out = static_cast<std::uint8_t*>(to);
  for (std::size_t done = 0; done < bytes;) {
    auto span = TRY(cached(page_of(at + done), 1));
    std::size_t part = least(bytes - done, vmi::page_size - offset_in_page(at + done));
    hypercalls().peek_frame(span.frame, offset_in_page(at + done), out + done, part);
    done += part;
  }
  return bytes;
}

Result<FrameRun> Node::pages(std::uint64_t page, std::uint32_t max) {
  if (!is(mode_regular)) return Errno::nodev;
  if (page >= pages_in_size()) return Errno::io;
  auto first = static_cast<std::uint32_t>(page);
  auto span = TRY(cached(first, max));
  auto count = static_cast<std::uint32_t>(least(least(span.pages, max), pages_in_size() - first));
  if (std::uint64_t used = offset_in_page(size_); used && first + count == pages_in_size())
    zero_frame_bytes(span.frame + count - 1, used, vmi::page_size - used);
  return FrameRun{span.frame, count};
}

Result<> Node::share_pages(std::uint64_t page, std::uint32_t count) {
  TRY(fs_.check_writable());
  std::uint64_t begin = page << vmi::page_shift;
  TRY(blocks_for(begin, least(begin + (std::uint64_t{count} << vmi::page_shift), size_)));
  shared_ = true;
  TRY(store());
  return mark_dirty(static_cast<std::uint32_t>(page), count);
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

// One page's worth at most.
Result<std::size_t> Node::write_page(std::uint64_t at, Source from, std::size_t bytes) {
  std::size_t part = least(bytes, vmi::page_size - offset_in_page(at));
  std::uint32_t page = page_of(at);
  auto span = pages_.span(page);
  bool replaces = offset_in_page(at) == 0 && (part == vmi::page_size || at + part >= size_);
  if (span.hole && replaces) {
    // Nothing of the old contents stays, so nothing is read.
    fs_.limit_cache();
    FrameRun frames{0, 0};
    auto before = page ? pages_.span(page - 1) : FileRuns::Span{true, 0, 0};
    if (!before.hole) {
      auto next = frames_allocate_at(before.frame + 1, 1);
      if (next.ok()) frames = next.value();
    }
    if (frames.count == 0) frames = TRY(frames_allocate(1));
    hypercalls().zero_frames(frames.first, 1);
    auto inserted = pages_.insert(page, frames);
    if (!inserted.ok()) {
      frame_release(frames.first, frames.count);
      return inserted.error();
    }
  } else {
    TRY(cached(page, 1));
  }
  // Dirty before the copy: blocks that were a hole must get zeros even if it fails. And again
  // behind it, because a fault on the way may have written the page back.
  TRY(mark_dirty(page, 1));
  TRY(blocks_for(at, at + part));
  auto copied = from.copy_to_frame(pages_.span(page).frame, offset_in_page(at), part);
  if (copied.ok() && at + part > size_) size_ = at + part;
  TRY(mark_dirty(page, 1));
  if (!copied.ok()) return copied.error();
  return part;
}

Result<std::size_t> Node::write(std::uint64_t at, Source from, std::size_t bytes) {
  if (!is(mode_regular)) return Errno::inval;
  TRY(fs_.check_writable());
  if (bytes == 0) return std::size_t{0};
  if (at >= max_size()) return Errno::fbig;
  bytes = least(bytes, max_size() - at);
  Busy busy(busy_);
  if (at > size_) TRY(clear_tail(size_, at));
  std::size_t done = 0;
  Errno failure = Errno::ok;
  while (done < bytes && failure == Errno::ok) {
    // Behind the end, blocks for more than a page: page by page, two writers would interleave.
    std::uint64_t now = at + done;
    if (offset_in_page(now) == 0 && now >= size_ && bytes - done > vmi::page_size)
      (void)blocks_for(now, least(at + bytes, now + write_ahead_pages * vmi::page_size));
    auto part = write_page(at + done, from + done, bytes - done);
    if (part.ok())
      done += part.value();
    else
      failure = part.error();
  }
  std::uint32_t unit = fs_.block_size();
  if (failure != Errno::ok && !fs_.read_only()) {
    // Blocks behind the end must not stay.
    (void)free_blocks_from((size_ + unit - 1) / unit);
    forget_dirty_from(pages_in_size());
    pages_.cut(pages_in_size());
    (void)store();
  }
  if (done == 0) return failure;
  TRY(touch());
  fs_.limit_dirty(page_of(done) + 1);
  return done;
}

Result<> Node::truncate(std::uint64_t size) {
  if (!is(mode_regular)) return is(mode_directory) ? Errno::isdir : Errno::inval;
  TRY(fs_.check_writable());
  if (size > max_size()) return Errno::fbig;
  Busy busy(busy_);
  std::uint32_t unit = fs_.block_size();
  if (size > size_) {
    TRY(clear_tail(size_, size));
  } else if (size < size_) {
    TRY(clear_tail(size, size_));
  }
  bool shorter = size < size_;
  size_ = size;
  if (shorter) {
    forget_dirty_from(pages_in_size());
    pages_.cut(pages_in_size());
    TRY(free_blocks_from((size_ + unit - 1) / unit));
  }
  return touch();
}

// -- Writing back.

Result<> Node::mark_dirty(std::uint32_t page, std::uint32_t count) {
  std::uint32_t end = page + count;
  std::size_t i = dirty_.size();
  while (i > 0 && dirty_[i - 1].end >= page) --i;  // the first range that touches or follows
  if (i == dirty_.size() || dirty_[i].first > end) {
    if (dirty_.size() < max_dirty_ranges) return dirty_.insert(i, {page, end});
    TRY(write_back());  // leaves one range at most
    return mark_dirty(page, count);
  }
  DirtyRange& range = dirty_[i];
  if (page < range.first) range.first = page;
  if (end > range.end) range.end = end;
  while (i + 1 < dirty_.size() && dirty_[i + 1].first <= range.end) {
    if (dirty_[i + 1].end > range.end) range.end = dirty_[i + 1].end;
    dirty_.erase(i + 1);
  }
  return {};
}

void Node::forget_dirty_from(std::uint32_t page) {
  while (!dirty_.empty() && dirty_.back().end > page) {
    if (dirty_.back().first < page) {
      dirty_.back().end = page;
      return;
    }
    dirty_.erase(dirty_.size() - 1);
  }
}

Result<> Node::write_range(std::uint32_t first, std::uint32_t end) {
  std::uint32_t per_page = blocks_per_page(), unit = fs_.block_size();
  auto end_block = (size_ + unit - 1) / unit;
  for (std::uint32_t page = first; page < end;) {
    auto span = pages_.span(page);
    auto count = static_cast<std::uint32_t>(least(span.pages, end - page));
    for (std::uint32_t done = 0; !span.hole && done < count * per_page;) {
      std::uint64_t block = std::uint64_t{page} * per_page + done;
      if (block >= end_block) break;
      auto max = static_cast<std::uint32_t>(least(count * per_page - done, end_block - block));
      BlockRun run = TRY(map(static_cast<std::uint32_t>(block), max));
      if (run.first)
        TRY(fs_.device().write_frames(std::uint64_t{run.first} * unit, span.frame,
                                      std::uint64_t{done} * unit, std::uint64_t{run.count} * unit));
      done += run.count;
    }
    page += count;
  }
  return {};
}

Result<> Node::write_back() {
  if (dirty_.empty()) return {};
  if (fs_.read_only()) return Errno::io;
  if (std::uint64_t used = offset_in_page(size_)) {
    auto last = pages_.span(page_of(size_));
    if (!last.hole) zero_frame_bytes(last.frame, used, vmi::page_size - used);
  }
  for (std::size_t i = 0; i < dirty_.size(); ++i) {
    auto written = write_range(dirty_[i].first, dirty_[i].end);
    if (!written.ok()) lost_ = true;
  }
  dirty_.clear();
  // What programs write through a mapping shows nowhere: all that may be mapped stays dirty.
  return shared_ ? keep_mapped_dirty() : Result<>();
}

Result<> Node::keep_mapped_dirty() {
  DirtyRange mapped{0, 0};
  for (std::uint32_t page = 0; page < pages_.end();) {
    auto span = pages_.span(page);
    for (std::uint32_t i = 0; !span.hole && i < span.pages; ++i) {
      if (frame_references(span.frame + i) == 1) continue;
      if (mapped.end == 0) mapped.first = page + i;
      mapped.end = page + i + 1;
    }
    page += span.pages;
  }
  shared_ = mapped.end != 0;
  return shared_ ? dirty_.push(mapped) : Result<>();
}

Result<> Node::sync() {
  if (is(mode_regular)) TRY(write_back());
  if (std::exchange(lost_, false)) return Errno::io;
  return fs_.sync_metadata();
}

void Node::drop_pages() {
  if (busy_ || !dirty_.empty()) return;
  // Programs may have pages mapped privately: those stay theirs. A shared mapping needs the cache.
  for (std::uint32_t page = 0; page < pages_.end();) {
    auto span = pages_.span(page);
    for (std::uint32_t i = 0; !span.hole && i < span.pages; ++i)
      if (frame_references(span.frame + i) > 1) return;
    page += span.pages;
  }
  pages_.cut(0);
}

}  // namespace guest::ext2
