// AddressSpace::own_text: a page of text that the monitor may rewrite. Called by the upcall that
// asks for it, for the current space. And the way back, for what is not text at its address any
// more.
#include <algorithm>

#include "guest/mm/address_space.h"
#include "guest/mm/host_mappings.h"

namespace guest {

/// The extent at `va` becomes the file's text copy for this address, made now if there is none.
Result<Frame> AddressSpace::own_text(std::uint64_t va) {
  const Region* region = regions_.find(va);
  if (!region || region->anonymous() || region->source.shared) return Errno::acces;
  if (!is_text(region->source.protection)) return Errno::acces;
  const ExtentNode* extent = extents_.find(va);
  if (!extent) return Errno::fault;
  const std::uint64_t page_va = page_down(va);
  PageSource& backing = *region->source.backing;
  auto file_page = [&](std::uint64_t at) { return region->file_offset(at) >> vmi::page_shift; };

  TextCopy* copy = backing.text_copies.find(file_page(page_va), page_va);
  if (copy && extent->frame_at(page_va) == copy->frame_at(file_page(page_va)))
    return extent->frame_at(page_va);
  Range range{extent->va, extent->end()};
  if (copy)
    range = {std::max(range.begin, copy->va), std::min(range.end, copy->end())};
  else
    backing.text_copies.keep_clear(page_va - region->va + region->source.offset, page_va,
                                   range.begin, range.end);
  // Only what is the file's own page can be taken for its text: not one this process has written.
  const Frames count = frames_for(pages_between(range.begin, range.end));
  const FrameRun original = TRY(backing.pages(file_page(range.begin), count));
  if (original.first != extent->frame_at(range.begin) || original.count != count)
    return Errno::acces;
  if (!copy) copy = TRY(backing.text_copies.make(file_page(range.begin), range.begin, original));
  TRY(map_text_copy(*region, *copy, range));
  return copy->frame_at(file_page(page_va));
}

/// Maps the copy in place of the file's own pages in `range`, which are of one extent.
Result<> AddressSpace::map_text_copy(const Region& region, const TextCopy& copy, Range range) {
  TRY(extents_.split_at(range.begin));
  TRY(extents_.split_at(range.end));
  ExtentNode& extent = *extents_.find(range.begin);
  const FrameRun run{copy.frame_for(range.begin),
                     frames_for(pages_between(range.begin, range.end))};
  TRY(host_map(range.begin, run, extent.protection, 0));
  frames_retain(run);
  frames_release(extent.run());
  extent.frame = run.first;
  extents_.join(extent, region.va, region.end);
  return {};
}

/// The pages in `range`, of one region, come from the file again where they were rewritten code.
Result<> AddressSpace::drop_text_copies(Range range) {
  const Region* region = regions_.find(range.begin);
  if (!region || region->anonymous()) return {};
  for (const TextCopy* copy = region->source.backing->text_copies.first(); copy;
       copy = copy->next.get()) {
    const std::uint64_t end = std::min(range.end, copy->end());
    std::uint64_t va = std::max(range.begin, copy->va);
    for (const ExtentNode* extent = extents_.first_ending_after(va); extent && extent->va < end;
         extent = extents_.first_ending_after(va)) {
      const std::uint64_t begin = std::max(va, extent->va);
      va = std::min(end, extent->end());
      if (extent->frame_at(begin) == copy->frame_for(begin)) TRY(drop_extents(begin, va));
      if (va == end) break;
    }
  }
  return {};
}

}  // namespace guest
