// The mapping calls of AddressSpace: mmap, munmap, mprotect, mremap, madvise, brk. Called from
// system calls and program loading; all but the bookkeeping of regions needs the current space.
//
// An extent never crosses a region's boundary: whoever splits regions splits extents first.
#include <algorithm>

#include "guest/heap/make.h"
#include "guest/mm/address_space.h"
#include "guest/mm/host_mappings.h"
#include "guest/mm/shared_memory.h"

namespace guest {

namespace {

/// Linux refuses what can obviously never be backed; so do we.
bool absurd(std::uint64_t bytes) {
  return vmi::whole_pages(Bytes(bytes)) > pages_of(frames_total());
}

bool page_aligned(std::uint64_t va) {
  return va % vmi::page_size == 0;
}

}  // namespace

Result<> AddressSpace::split_at(std::uint64_t va) {
  TRY(extents_.split_at(va));
  return regions_.split_at(va);
}

/// Unmaps the pages of a range and lets go of their frames. ENOMEM, and then nothing has changed.
Result<> AddressSpace::drop_extents(std::uint64_t begin, std::uint64_t end) {
  TRY(extents_.split_at(begin));
  TRY(extents_.split_at(end));
  remove_extents({begin, end});
  return {};
}

/// The same where the range's ends are boundaries between extents already.
void AddressSpace::remove_extents(Range range) {
  ExtentNode* first = extents_.first_ending_after(range.begin);
  if (!first || first->va >= range.end) return;
  host_unmap(first->va, extents_.at_or_before(range.end - 1)->end());
  for (ExtentNode* run = first; run && run->va < range.end;) {
    ExtentNode* next = run->following();
    frames_release(run->run());
    extents_.remove(*run);
    run = next;
  }
}

/// And forgets what was mapped there. Cannot fail: whatever may, is done before.
void AddressSpace::drop(Range range) {
  if (regions_.free(range.begin, range.end)) return;
  remove_extents(range);
  for (Region* region = regions_.first_ending_after(range.begin);
       region && region->va < range.end;) {
    Region* next = region->following();
    regions_.remove(*region);
    region = next;
  }
  gap_appeared(range.begin);
}

Result<> AddressSpace::cut(const Region& region, std::uint64_t from) {
  if (region.file_offset(region.end) <= from) return {};
  const std::uint64_t kept = from > region.source.offset ? from - region.source.offset : 0;
  return drop_extents(region.va + kept, region.end);
}

/// Catches up with the files that became shorter, or other text, while another space was current.
Result<> AddressSpace::make_cuts() {
  for (Region* region = regions_.first(); region; region = region->following()) {
    if (region->cut_from != whole_file) TRY(cut(*region, region->cut_from));
    region->cut_from = whole_file;
    if (region->text_changed) TRY(drop_text_copies({region->va, region->end}));
    region->text_changed = false;
  }
  regions_.any_behind = false;
  return {};
}

Result<std::uint64_t> AddressSpace::map(const MapRequest& request) {
  if (request.bytes == 0 || !page_aligned(request.offset)) return Errno::inval;
  if (request.bytes > vmi::user_end) return Errno::nomem;
  std::uint64_t bytes = page_up(request.bytes);
  bool counts = !request.backing && (request.protection & vmi::prot_write || request.shared);
  if (counts && !request.reserve_nothing && absurd(bytes)) return Errno::nomem;
  constexpr std::uint64_t no_file_reaches = 1ull << 63;
  if (request.backing &&
      (request.offset >= no_file_reaches || bytes > no_file_reaches - request.offset))
    return Errno::overflow;

  RegionSource source{.protection = request.protection,
                      .shared = request.shared,
                      .may_write = request.may_write,
                      .backing = request.backing,
                      .offset = request.offset};
  if (!source.backing) source.offset = 0;
  if (!source.backing && request.shared) source.backing = TRY(make_ref<SharedMemory>(bytes));
  std::uint64_t va = TRY(place(request, bytes));
  const std::uint64_t more = bytes - mapped_bytes({va, va + bytes});
  TRY(check_limits(more, source.data() ? more : 0));
  TRY(split_at(va));
  TRY(split_at(va + bytes));
  Region* region = TRY(regions_.make(va, va + bytes, std::move(source)));
  drop({va, va + bytes});
  regions_.insert(*region);
  return va;
}

/// Where a mapping is to be; what it may replace is still there.
Result<std::uint64_t> AddressSpace::place(const MapRequest& request, std::uint64_t bytes) {
  if (request.placement != MapRequest::anywhere) {
    std::uint64_t va = request.address;
    if (!page_aligned(va)) return Errno::inval;
    if (va < vmi::user_begin) return Errno::perm;  // as below Linux's mmap_min_addr
    if (!vmi::is_user_range(va, bytes)) return Errno::nomem;
    bool replaces = request.placement == MapRequest::fixed;
    if (!replaces && !regions_.free(va, va + bytes)) return Errno::exist;
    return va;
  }
  std::uint64_t wish = page_down(request.address);
  if (wish && vmi::is_user_range(wish, bytes) && regions_.free(wish, wish + bytes)) return wish;
  return find_gap(bytes);
}

/// Top-down below the stack. Remembers where to go on, so that a program with thousands of
/// mappings does not walk over them for each new one.
Result<std::uint64_t> AddressSpace::find_gap(std::uint64_t bytes) {
  for (bool again : {true, false}) {
    for (std::uint64_t top = search_from_; top >= vmi::user_begin + bytes;) {
      Region* below = regions_.at_or_before(top - 1);
      std::uint64_t bottom = below ? below->end : vmi::user_begin;
      if (bottom <= top - bytes) {
        search_from_ = top - bytes;
        return top - bytes;
      }
      top = below ? below->va : 0;
    }
    if (!again || search_from_ == mmap_top_) break;
    search_from_ = mmap_top_;
  }
  return Errno::nomem;
}

/// Something that began at `va` is gone.
void AddressSpace::gap_appeared(std::uint64_t va) {
  if (va < search_from_) return;
  Region* above = regions_.first_ending_after(va);
  search_from_ = std::min(above ? above->va : mmap_top_, mmap_top_);
}

Result<> AddressSpace::unmap(std::uint64_t va, std::uint64_t bytes) {
  if (!page_aligned(va) || bytes == 0) return Errno::inval;
  if (va > vmi::user_end || bytes > vmi::user_end - va) return Errno::inval;
  std::uint64_t end = page_up(va + bytes);
  TRY(split_at(va));
  TRY(split_at(end));
  drop({va, end});
  return {};
}

Result<> AddressSpace::check_mapped(std::uint64_t va, std::uint64_t bytes) const {
  if (va > vmi::user_end || bytes > vmi::user_end - va) return Errno::nomem;
  std::uint64_t end = page_up(va + bytes);
  for (Region* region = regions_.first_ending_after(va); va < end; region = region->following()) {
    if (!region || region->va > va) return Errno::nomem;
    va = region->end;
  }
  return {};
}

bool AddressSpace::resident(std::uint64_t va) const {
  if (extents_.find(va)) return true;
  const Region* region = regions_.find(va);
  return region && region->source.backing &&
         region->source.backing->has_page(region->file_offset(va) >> vmi::page_shift);
}

Result<> AddressSpace::discard(std::uint64_t va, std::uint64_t bytes) {
  if (!page_aligned(va)) return Errno::inval;
  if (va > vmi::user_end || bytes > vmi::user_end - va) return Errno::inval;
  std::uint64_t end = page_up(va + bytes);
  TRY(drop_extents(va, end));
  return check_mapped(va, bytes);
}

Result<> AddressSpace::populate(std::uint64_t va, std::uint64_t bytes) {
  for (std::uint64_t end = page_up(va + bytes); va < end;) {
    if (ExtentNode* extent = extents_.find(va)) {
      va = extent->end();
      continue;
    }
    Region* region = regions_.find(va);
    if (!region) return Errno::nomem;
    bool write = region->source.protection & vmi::prot_write;
    TRY(fault(va, write ? vmi::fault_user | vmi::fault_write : vmi::fault_user));
  }
  return {};
}

Result<> AddressSpace::sync(std::uint64_t va, std::uint64_t bytes) {
  const PageSource* synced = nullptr;  // a file may be mapped in thousands of pieces
  for (Region* region = regions_.first_ending_after(va); region && region->va < va + bytes;
       region = region->following()) {
    if (!region->source.shared || !region->source.may_write) continue;
    if (region->source.backing.get() == synced) continue;
    TRY(region->source.backing->sync());
    synced = region->source.backing.get();
  }
  return {};
}

Result<std::uint64_t> AddressSpace::remap(std::uint64_t va, std::uint64_t bytes,
                                          std::uint64_t new_bytes, std::uint32_t flags,
                                          std::uint64_t new_va) {
  if (!page_aligned(va) || bytes == 0 || new_bytes == 0) return Errno::inval;
  if (!vmi::is_user_range(va, bytes) || new_bytes > vmi::user_end) return Errno::inval;
  Range old{va, page_up(va + bytes)};
  new_bytes = page_up(new_bytes);
  Region* region = regions_.find(va);
  if (!region || region->end < old.end) return Errno::fault;
  if (!(flags & remap_fixed)) return resize(old, new_bytes, flags);

  if (!(flags & remap_may_move) || !page_aligned(new_va)) return Errno::inval;
  if (!vmi::is_user_range(new_va, new_bytes)) return Errno::inval;
  if (new_va < old.end && old.begin < new_va + new_bytes) return Errno::inval;
  TRY(check_growth(*region, old.bytes(), new_bytes));
  TRY(move(old, {new_va, new_va + new_bytes}));
  return new_va;
}

/// mremap without a wish for the address: shrinks or grows in place, or moves if it may.
Result<std::uint64_t> AddressSpace::resize(Range old, std::uint64_t new_bytes,
                                           std::uint32_t flags) {
  std::uint64_t old_bytes = old.end - old.begin;
  if (new_bytes <= old_bytes) {
    if (new_bytes < old_bytes) TRY(unmap(old.begin + new_bytes, old_bytes - new_bytes));
    return old.begin;
  }
  if (absurd(new_bytes - old_bytes)) return Errno::nomem;
  Region* region = regions_.find(old.begin);
  TRY(check_growth(*region, old_bytes, new_bytes));
  std::uint64_t new_end = old.begin + new_bytes;
  if (region->end == old.end && new_end <= vmi::user_end && regions_.free(old.end, new_end)) {
    region->end = new_end;
    regions_.join_around(old.begin, new_end);
    return old.begin;
  }
  if (!(flags & remap_may_move)) return Errno::nomem;
  std::uint64_t to = TRY(find_gap(new_bytes));
  TRY(move(old, {to, to + new_bytes}));
  return to;
}

/// Moves what is mapped in `old`, all of one region, in place of what is mapped in `to`, as far as
/// there is room. The frames stay; only addresses change. ENOMEM, and then nothing has.
Result<> AddressSpace::move(Range old, Range to) {
  const Range from{old.begin, std::min(old.end, old.begin + (to.end - to.begin))};
  TRY(drop_text_copies(from));
  for (std::uint64_t boundary : {from.begin, from.end, old.end, to.begin, to.end})
    TRY(split_at(boundary));
  drop(to);
  drop({from.end, old.end});
  ExtentNode* run = extents_.first_ending_after(from.begin);
  if (run && run->va < from.end) host_unmap(from.begin, from.end);
  for (bool mapping = true; run && run->va < from.end;) {
    ExtentNode* next = run->following();
    extents_.rekey(*run, to.begin + (run->va - from.begin));
    // Once the host has refused one, faults map what is used.
    mapping = mapping && host_map(run->va, run->run(), run->protection, 0).ok();
    run = next;
  }
  regions_.move(*regions_.find(from.begin), to.begin, to.end);
  gap_appeared(from.begin);
  return {};
}

std::uint64_t AddressSpace::set_brk(std::uint64_t va) {
  if (va < brk_begin_ || va >= mmap_top) return brk_;
  if (va - brk_begin_ + data_bytes_ > limit(abi::limit_data)) return brk_;
  std::uint64_t old_end = page_up(brk_), new_end = page_up(va);
  if (new_end > old_end) {
    if (absurd(new_end - brk_begin_) || !regions_.free(old_end, new_end)) return brk_;
    if (!check_limits(new_end - old_end, new_end - old_end).ok()) return brk_;
    RegionSource source{.protection = vmi::prot_read | vmi::prot_write};
    if (!regions_.add(old_end, new_end, std::move(source)).ok()) return brk_;
  } else if (new_end < old_end) {
    if (!unmap(new_end, old_end - new_end).ok()) return brk_;
  }
  return brk_ = va;
}

Result<> AddressSpace::map_stack(bool executable) {
  constexpr std::uint64_t initial = 128 * 1024;
  const std::uint32_t execution = executable ? vmi::prot_exec : vmi::prot_none;
  RegionSource source{.protection = vmi::prot_read | vmi::prot_write | execution,
                      .grows_down = true};
  return regions_.add(stack_top - initial, stack_top, std::move(source));
}

}  // namespace guest
