// From the page cache back to the image: which pages are dirty, writing them in runs, and letting
// pages go. Called by sync calls, when much is dirty or memory is short, and at unmount. Frees
// frames, never allocates any: it runs inside allocations.
#include <utility>

#include "guest/fs/ext2/node.h"
#include "guest/platform.h"
#include "guest/vfs/file_offsets.h"

namespace guest::ext2 {
namespace {

constexpr std::size_t max_dirty_ranges = 32;

/// Is that so of bytes [offset, offset + bytes) from `first` on? They have no place in the image.
bool all_zero(Frame first, std::uint64_t offset, std::uint64_t bytes) {
  std::uint64_t part[64];
  for (std::uint64_t end = offset + bytes; offset < end; offset += sizeof part) {
    hypercalls().peek_frame(first + page_of(offset), Bytes(offset_in_page(offset)), part,
                            Bytes(sizeof part));
    for (std::uint64_t word : part)
      if (word) return false;
  }
  return true;
}

}  // namespace

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
      std::uint64_t offset = std::uint64_t{done} * unit, bytes = std::uint64_t{run.count} * unit;
      if (run.first)
        TRY(fs_.device().write_frames(std::uint64_t{run.first} * unit, span.frame, offset, bytes));
      else if (!all_zero(span.frame, offset, bytes))
        return Errno::io;
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
    if (written.ok()) continue;
    lost_ = true;
    fs_.note_lost();
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

std::uint32_t Node::drop_pages(std::uint32_t most) {
  // Not written for nothing: a file that is mapped from end to end would be at each call.
  if (!pages_.any_unshared() || !write_back().ok()) return 0;
  return pages_.drop_unshared(most);
}

}  // namespace guest::ext2
