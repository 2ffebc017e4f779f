// Page faults: from regions to extents. Called by the page-fault upcall, by user copies and by
// MAP_POPULATE, always for the current space.
//
// A trap costs as much as mapping a hundred pages, so a fault never brings one page alone if more
// are likely to be touched: 16 around it, 64 once an area is being walked through (reach); of a
// file all that lies in one run. Frames are placed so that neighbours in the address space are
// neighbours in guest RAM, whatever order they are touched in: one extent, one host mapping.
#include <algorithm>

#include "guest/base/narrow.h"
#include "guest/mm/address_space.h"
#include "guest/mm/host_mappings.h"
#include "guest/platform.h"

namespace guest {

namespace {

constexpr std::uint64_t fault_window = 16 * vmi::page_size;  // around a fault
constexpr std::uint64_t walk_window = 64 * vmi::page_size;   // while memory is touched in order
constexpr std::uint64_t file_window =
    512 * vmi::page_size;                                  // of a file: nothing is allocated for it
constexpr std::uint64_t copy_window = 4 * vmi::page_size;  // around a write to a shared page
constexpr std::uint64_t chunk_bytes = bytes_of(frames_per_chunk).number;

constexpr std::uint64_t align_down(std::uint64_t va, std::uint64_t unit) {
  return va - va % unit;
}

/// With little memory left nobody gets a page he has not touched. Files' cached pages go first.
bool memory_is_tight() {
  const Frames little = frames_total() / 16;
  if (frames_free() < little) frames_reclaim(little);
  return frames_free() < little;
}

bool allows(std::uint32_t protection, std::uint64_t error_code) {
  if (error_code & vmi::fault_write) return protection & vmi::prot_write;
  if (error_code & vmi::fault_exec) return protection & vmi::prot_exec;
  return protection != vmi::prot_none;
}

}  // namespace

Result<> AddressSpace::fault(std::uint64_t va, std::uint64_t error_code) {
  ++shared_info().counters.page_faults_served;
  Region* region = region_at(va);
  if (!region) return Errno::fault;
  if (!allows(region->source.protection, error_code)) return Errno::acces;

  std::uint64_t page_va = page_down(va);
  ExtentNode* extent = extents_.find(page_va);
  if (!extent) {
    if (region->anonymous()) return fill_anonymous(*region, page_va);
    TRY(fill_from_file(*region, page_va, error_code & vmi::fault_write));
    extent = extents_.find(page_va);
    if (!(error_code & vmi::fault_write) || extent->protection & vmi::prot_write) return {};
  }
  if (error_code & vmi::fault_write && !(extent->protection & vmi::prot_write)) {
    return make_writable(*region, page_va);
  }
  return map_again(*extent);
}

/// The region at `va`; a stack grows down to it if it may.
Region* AddressSpace::region_at(std::uint64_t va) {
  if (!vmi::is_user_range(va, 1)) return nullptr;
  Region* below = regions_.at_or_before(va);
  if (below && va < below->end) return below;
  Region* above = below ? below->following() : regions_.first();
  if (!above || !above->source.grows_down) return nullptr;
  const std::uint64_t bottom = page_down(va);
  if (above->end - bottom > limit(abi::limit_stack)) return nullptr;
  if (below && bottom < below->end + stack_gap) return nullptr;
  if (!check_limits(above->va - bottom, 0).ok()) return nullptr;
  above->va = bottom;
  return above;
}

/// The stretch without pages around `page_va`, within [begin, end) and the region.
AddressSpace::Range AddressSpace::unmapped_around(const Region& region, std::uint64_t page_va,
                                                  std::uint64_t begin, std::uint64_t end) const {
  begin = std::max(begin, region.va);
  end = std::min(end, region.end);
  ExtentNode* before = extents_.at_or_before(page_va);
  if (before) begin = std::max(begin, before->end());
  ExtentNode* after = before ? before->following() : extents_.first();
  if (after) end = std::min(end, after->va);
  return {begin, end};
}

/// How far around a fault in anonymous memory pages are given. In a small region everybody around:
/// it will be used. In a large one nobody yet, at the first fault in a chunk: a table of which one
/// page in a hundred is touched must not become all resident. The second fault in the chunk says
/// that more will come, the third that all of it will.
std::uint64_t AddressSpace::reach(const Region& region, std::uint64_t page_va) const {
  if (memory_is_tight()) return vmi::page_size;
  const ExtentNode* before = extents_.at_or_before(page_va);
  if (before && before->end() == page_va && bytes_of(before->count).number >= walk_window)
    return walk_window;
  if (region.bytes() <= chunk_bytes) return fault_window;
  const std::uint64_t chunk = align_down(page_va, chunk_bytes);
  std::uint64_t present = 0;
  for (const ExtentNode* run = extents_.first_ending_after(chunk);
       run && run->va < chunk + chunk_bytes && present < fault_window; run = run->following()) {
    present += std::min(run->end(), chunk + chunk_bytes) - std::max(run->va, chunk);
  }
  if (present == 0) return vmi::page_size;
  return present < fault_window ? fault_window : walk_window;
}

Result<> AddressSpace::fill_anonymous(const Region& region, std::uint64_t page_va) {
  ++shared_info().counters.faults_anonymous;
  const std::uint64_t window = reach(region, page_va), begin = align_down(page_va, window);
  const Range range = unmapped_around(region, page_va, begin, begin + window);
  std::uint32_t protection = region.source.protection;
  for (std::uint64_t va = range.begin; va <= page_va;) {
    FrameRun run = TRY(allocate_near(va, frames_for(pages_between(va, range.end))));
    std::uint32_t flags = vmi::map_populate;
    if (!frames_are_fresh(run)) {
      if (protection & vmi::prot_write) {
        flags |= vmi::map_zero;
      } else {
        hypercalls().zero_frames(run.first, run.count);
      }
    }
    TRY(install(region, va, run, protection, flags));
    va = va + bytes_of(run.count);
  }
  return {};
}

/// Where the file grants writes, pages become writable only when somebody writes; if it refuses
/// them all they are there for make_writable(), which asks for one.
Result<> AddressSpace::fill_from_file(const Region& region, std::uint64_t page_va, bool write) {
  ++shared_info().counters.faults_file;
  PageSource& backing = *region.source.backing;
  std::uint64_t size = backing.length();
  if (region.file_offset(page_va) >= size) return Errno::io;
  std::uint64_t file_end = region.va + (page_up(size) - region.source.offset);
  std::uint64_t begin = align_down(page_va, fault_window);
  Range range = unmapped_around(region, page_va, begin, std::min(begin + file_window, file_end));

  const bool text = !region.source.shared && is_text(region.source.protection);
  auto run_at = [&](std::uint64_t va) -> Result<FrameRun> {
    const std::uint64_t page = region.file_offset(va) >> vmi::page_shift;
    const Frames wanted = frames_for(pages_between(va, range.end));
    if (const TextCopy* copy = text ? backing.text_copies.find(page, va) : nullptr) {
      const Frames left = frames_for(Pages(copy->end_page() - page));
      return FrameRun{copy->frame_at(page), std::min(wanted, left)};
    }
    return backing.pages(page, wanted);
  };
  // From the beginning of the window if one run reaches to the page, else from the page on.
  std::uint64_t va = range.begin;
  FrameRun run = TRY(run_at(va));
  if (va + bytes_of(run.count) <= page_va) {
    va = page_va;
    run = TRY(run_at(va));
  }
  frames_retain(run);
  bool writable = region.source.shared;
  if (region.source.shared && region.source.may_write) {
    backing.contents_change_unnoticed();
    if (backing.grants_writes())
      writable =
          write && backing.share_pages(region.file_offset(va) >> vmi::page_shift, run.count).ok();
  }
  std::uint32_t protection =
      writable ? region.source.protection : without_write(region.source.protection);
  // A long run is not populated: the host fills in what is touched, and that is cheap for it.
  std::uint32_t flags = 0;
  if (bytes_of(run.count).number <= fault_window) flags |= vmi::map_populate;
  return install(region, va, run, protection, flags);
}

/// Enters a run and maps it; takes over the run's references. Where the host refuses, the page is
/// there and a fault maps it again.
Result<> AddressSpace::install(const Region& region, std::uint64_t va, FrameRun run,
                               std::uint32_t protection, std::uint32_t flags) {
  auto added = extents_.add(va, run, protection, region.va, region.end);
  if (!added.ok()) {
    frames_release(run);
    return added;
  }
  auto mapped = host_map(va, run, protection, flags);
  if (!mapped.ok() && flags & vmi::map_zero) hypercalls().zero_frames(run.first, run.count);
  return mapped;
}

/// A write to a page that is mapped read-only though its region may be written.
Result<> AddressSpace::make_writable(const Region& region, std::uint64_t page_va) {
  const ExtentNode& extent = *extents_.find(page_va);
  if (region.source.shared) return share_around(region, {extent.va, extent.end()}, page_va);
  ++shared_info().counters.cow_breaks;
  if (frame_references(extent.frame_at(page_va)) != 1) {
    return copy_shared(region, extent, page_va);
  }
  return grant_write(region, ours_alone_around(region, page_va));
}

/// Makes pages of a shared mapping writable: those of `mapped` around `page_va`, or that one alone
/// if the file cannot grant more.
Result<> AddressSpace::share_around(const Region& region, Range mapped, std::uint64_t page_va) {
  PageSource& backing = *region.source.backing;
  if (!backing.grants_writes()) return grant_write(region, mapped);
  auto share = [&](Range range) {
    return backing.share_pages(region.file_offset(range.begin) >> vmi::page_shift,
                               frames_for(pages_between(range.begin, range.end)));
  };
  const std::uint64_t begin = align_down(page_va, fault_window);
  Range range{std::max(mapped.begin, begin), std::min(mapped.end, begin + file_window)};
  if (!share(range).ok()) {
    range = {page_va, page_va + vmi::page_size};
    TRY(share(range));
  }
  return grant_write(region, range);
}

/// The other owner of the page at `page_va` is gone: the stretch around it, of whatever runs, that
/// is ours alone and mapped read-only like it.
AddressSpace::Range AddressSpace::ours_alone_around(const Region& region, std::uint64_t page_va) {
  auto ours = [](const ExtentNode& run, std::uint64_t va) {
    return !(run.protection & vmi::prot_write) && frame_references(run.frame_at(va)) == 1;
  };
  Range range{page_va, page_va + vmi::page_size};
  for (const ExtentNode* run = extents_.find(page_va); run && run->va >= region.va;
       run = extents_.find(range.begin - 1)) {
    while (range.begin > run->va && ours(*run, range.begin - vmi::page_size))
      range.begin -= vmi::page_size;
    if (range.begin != run->va) break;
  }
  for (const ExtentNode* run = extents_.find(page_va);
       run && run->va <= range.end && run->end() <= region.end; run = run->following()) {
    while (range.end < run->end() && ours(*run, range.end)) range.end += vmi::page_size;
    if (range.end != run->end()) break;
  }
  return range;
}

Result<> AddressSpace::grant_write(const Region& region, Range range) {
  TRY(extents_.split_at(range.begin));
  TRY(extents_.split_at(range.end));
  std::uint32_t protection = region.source.protection;
  host_protect(range.begin, range.end, protection);
  for (ExtentNode* run = extents_.find(range.begin); run && run->va < range.end;
       run = extents_.join(*run, region.va, region.end).following()) {
    run->protection = protection;
  }
  return {};
}

Result<> AddressSpace::copy_shared(const Region& region, const ExtentNode& extent,
                                   std::uint64_t page_va) {
  std::uint64_t window = copy_window;
  ExtentNode* before = extents_.find(page_va - 1);
  if (before && before->va >= region.va && before->protection & vmi::prot_write) {
    window = fault_window;  // written in order
  }
  if (memory_is_tight()) window = vmi::page_size;
  std::uint64_t window_begin = std::max(align_down(page_va, window), extent.va);
  std::uint64_t window_end = std::min(align_down(page_va, window) + window, extent.end());
  auto shared = [&](std::uint64_t va) { return frame_references(extent.frame_at(va)) != 1; };
  Range range{page_va, page_va + vmi::page_size};
  while (range.begin > window_begin && shared(range.begin - vmi::page_size)) {
    range.begin -= vmi::page_size;
  }
  while (range.end < window_end && shared(range.end)) range.end += vmi::page_size;
  while (range.begin <= page_va) {
    range.begin = range.begin + bytes_of(TRY(replace_with_copy(region, range)));
  }
  return {};
}

/// Gives as many pages from range.begin on, which lie in one extent, frames of their own as come in
/// one run. Returns how many.
Result<Frames> AddressSpace::replace_with_copy(const Region& region, Range range) {
  const Frames wanted = frames_for(pages_between(range.begin, range.end));
  FrameRun run = TRY(allocate_near(range.begin, wanted));
  std::uint64_t end = range.begin + bytes_of(run.count);
  auto prepare = [&]() -> Result<> {
    TRY(extents_.split_at(range.begin));
    TRY(extents_.split_at(end));
    Frame old = extents_.find(range.begin)->frame;
    // The old page is still mapped; reading it there saves the host a look-up.
    const Bytes bytes = bytes_of(run.count);
    if (hypercalls().copy_user_to_frame(run.first, {}, range.begin, bytes) != bytes) {
      hypercalls().copy_frames(run.first, old, run.count);
    }
    return host_map(range.begin, run, region.source.protection, vmi::map_populate);
  };
  auto prepared = prepare();
  if (!prepared.ok()) {
    frames_release(run);
    return prepared.error();
  }
  ExtentNode& extent = *extents_.find(range.begin);
  frames_release(extent.run());
  extent.frame = run.first;
  extent.protection = region.source.protection;
  extents_.join(extent, region.va, region.end);
  return run.count;
}

/// The page table allows the access and yet it faulted: the host lost the page. Say it again.
Result<> AddressSpace::map_again(const ExtentNode& extent) {
  ++shared_info().counters.faults_remapped;
  std::uint32_t flags = 0;
  if (bytes_of(extent.count).number <= fault_window) flags |= vmi::map_populate;
  return host_map(extent.va, extent.run(), extent.protection, flags);
}

/// Frames for pages at `va`, such that pages of one aligned 256 KiB lie in one chunk of frames at
/// the same offset, if that can be had.
Result<FrameRun> AddressSpace::allocate_near(std::uint64_t va, Frames wanted) {
  std::uint64_t chunk = align_down(va, chunk_bytes);
  std::int64_t hint = -1;
  ExtentNode* before = extents_.at_or_before(va);
  ExtentNode* after = before ? before->following() : extents_.first();
  if (before && va < before->end()) before = extents_.at_or_before(before->va - 1);  // to be copied
  if (before && before->end() > chunk) {
    hint = static_cast<std::int64_t>(before->frame + pages_between(before->va, va).number);
  } else if (after && after->va < chunk + chunk_bytes) {
    hint = static_cast<std::int64_t>(after->frame - pages_between(va, after->va).number);
  }
  if (hint >= 0) {
    auto run = frames_allocate_at(narrow<Frame>(hint), wanted);
    if (run.ok()) return run;
  }
  auto free_chunk = frames_free_chunk();
  if (free_chunk.ok()) {
    return frames_allocate_at(free_chunk.value() + frames_for(pages_between(chunk, va)), wanted);
  }
  return frames_allocate(wanted);
}

}  // namespace guest
