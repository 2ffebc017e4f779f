// Holes in files: finding them, and making them. Blocks are allocated as pages are written, so what
// has none is a hole. Called by lseek and fallocate.
#include "guest/fs/ext2/node.h"
#include "guest/vfs/file_offsets.h"

namespace guest::ext2 {

Result<std::uint64_t> Node::next(bool data, std::uint64_t at) {
  if (!is(mode_regular)) return Inode::next(data, at);
  const std::uint32_t unit = fs_.block_size();
  const auto end = static_cast<std::uint32_t>((size_ + unit - 1) / unit);
  for (auto block = static_cast<std::uint32_t>(at / unit); block < end;) {
    const BlockRun run = TRY(map(block, end - block));
    if ((run.first != 0) == data) return std::max(at, std::uint64_t{block} * unit);
    block += run.count;
  }
  return data ? Result<std::uint64_t>(Errno::nxio) : size_;
}

// Zeros in part of a page, or in all of it. True: it is not cached any more, and its blocks can go.
// A page that somebody has mapped keeps them (sharing.cpp).
Result<bool> Node::punch_page(std::uint64_t at, std::uint64_t bytes) {
  const std::uint32_t page = page_of(at);
  auto span = pages_.span(page);
  if (offset_in_page(at) == 0 && (bytes == vmi::page_size || at + bytes == size_)) {
    if (span.hole) return true;
    if (frame_references(span.frame) == 1 && pages_.drop(page).ok()) return true;
  }
  span = TRY(cached(page, 1));
  zero_frame_bytes(span.frame, offset_in_page(at), bytes);
  TRY(mark_dirty(page, 1));
  return false;
}

Result<> Node::punch(std::uint64_t begin, std::uint64_t end) {
  if (!is(mode_regular)) return Errno::nodev;
  TRY(fs_.check_writable());
  TRY(fs_.begin_change());
  std::uint64_t gone = begin;  // from here on, page by page, blocks can go
  auto free_until = [&](std::uint64_t at) {
    const std::uint64_t per_page = blocks_per_page();
    return gone < at
               ? free_blocks(page_of(gone) * per_page, page_of(at + vmi::page_size - 1) * per_page)
               : Result<>();
  };
  for (std::uint64_t at = begin, part; at < end; at += part) {
    part = least(end - at, vmi::page_size - offset_in_page(at));
    if (TRY(punch_page(at, part))) continue;
    TRY(free_until(at));
    gone = at + part;
  }
  TRY(free_until(end));
  return touch();
}

}  // namespace guest::ext2
