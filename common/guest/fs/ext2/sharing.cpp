// Pages that programs write directly, through shared mappings: the file system is asked before they
// can (page faults, mm/faults.cpp) and sees nothing of it later. So all blocks of such a page up to
// the end of file are there as long as it is mapped, and it stays dirty (keep_mapped_dirty()).
#include "guest/fs/ext2/node.h"
#include "guest/vfs/file_offsets.h"

namespace guest::ext2 {

// Several pages only where there is plenty of room: else they would take what somebody needs. What
// a failure leaves behind is sound: the blocks are the file's, and its dirty pages' zeros go there.
Result<> Node::share_pages(std::uint64_t page, Frames frames) {
  const std::uint32_t count = frames.number;
  constexpr std::uint64_t plenty = 4;
  TRY(fs_.check_writable());
  if (count > 1 && fs_.space().blocks_free < plenty * count * blocks_per_page())
    return Errno::nospc;
  std::uint64_t begin = page << vmi::page_shift;
  std::uint64_t end = least(begin + (std::uint64_t{count} << vmi::page_shift), size_);
  TRY(mark_dirty(narrow<std::uint32_t>(page), count));
  auto allocated = blocks_for(begin, end);
  TRY(store());
  // Again: it may have been written back meanwhile, and have got the blocks behind that.
  TRY(mark_dirty(narrow<std::uint32_t>(page), count));
  if (allocated.ok()) shared_ = true;
  return allocated;
}

// The end is about to move to `to`: zeros behind the old one, and blocks for what of its page comes
// into view, if programs may be writing there already.
Result<> Node::open_tail(std::uint64_t to) {
  TRY(clear_tail(size_, to));
  if (!shared_ || offset_in_page(size_) == 0) return {};
  if (frame_references(TRY(cached(page_of(size_), 1)).frame) == 1) return {};
  std::uint64_t page_end = size_ - offset_in_page(size_) + vmi::page_size;
  auto allocated = blocks_for(size_, least(to, page_end));
  if (allocated.ok()) return mark_dirty(page_of(size_), 1);
  std::uint32_t unit = fs_.block_size();
  (void)free_blocks_from((size_ + unit - 1) / unit);  // none may stay behind the end
  (void)store();
  return allocated;
}

}  // namespace guest::ext2
