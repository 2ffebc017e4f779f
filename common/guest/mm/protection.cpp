// AddressSpace: who may do what with pages. mprotect, called from system calls, and the loss of
// write permission at fork; both for the current space.
#include "guest/mm/address_space.h"
#include "guest/mm/host_mappings.h"

namespace guest {

namespace {

/// Gives each extent of a range the protection that `becomes` says: one host call for each stretch,
/// without a hole, that becomes alike.
template <class Becomes>
void protect_extents(const ExtentMap& extents, std::uint64_t begin, std::uint64_t end,
                     Becomes becomes) {
  for (ExtentNode* run = extents.first_ending_after(begin); run && run->va < end;) {
    ExtentNode* const first = run;
    const std::uint32_t protection = becomes(*first);
    std::uint64_t mapped_to = first->end();
    bool changes = first->protection != protection;
    for (run = first->following();
         run && run->va < end && run->va == mapped_to && becomes(*run) == protection;
         run = run->following()) {
      changes |= run->protection != protection;
      mapped_to = run->end();
    }
    if (!changes) continue;
    host_protect(first->va, mapped_to, protection);
    for (ExtentNode* changed = first; changed != run; changed = changed->following())
      changed->protection = protection;
  }
}

bool ours_alone(const ExtentNode& run) {
  for (Frame frame = run.frame; frame != run.run().end(); ++frame) {
    if (frame_references(frame) != 1) return false;
  }
  return true;
}

}  // namespace

Result<> AddressSpace::protect(std::uint64_t va, std::uint64_t bytes, std::uint32_t protection) {
  if (va % vmi::page_size != 0) return Errno::inval;
  if (bytes == 0) return {};
  TRY(check_mapped(va, bytes));
  std::uint64_t end = page_up(va + bytes);
  for (Region* region = regions_.find(va); region && region->va < end;
       region = region->following()) {
    if (protection & vmi::prot_write && !region->source.may_write) return Errno::acces;
  }
  if (protection & vmi::prot_write) TRY(check_limits(0, bytes_made_data({va, end})));
  TRY(split_at(va));
  TRY(split_at(end));
  for (Region* region = regions_.find(va); region && region->va < end;
       region = region->following()) {
    if (protection & vmi::prot_write) TRY(drop_text_copies({region->va, region->end}));
    protect_region(*region, protection);
  }
  regions_.join_around(va, end);
  return {};
}

/// Gives a region another protection, and its pages as much of it as sharing allows.
void AddressSpace::protect_region(Region& region, std::uint32_t protection) {
  const RegionSource& source = region.source;
  auto writable = [&](const ExtentNode& run) {
    if (!source.shared) return ours_alone(run);
    return !source.backing->grants_writes() || run.protection & vmi::prot_write;
  };
  protect_extents(extents_, region.va, region.end, [&](const ExtentNode& run) {
    return protection & vmi::prot_write && !writable(run) ? without_write(protection) : protection;
  });
  region.source.protection = protection;
  // What an earlier, narrower protection had torn apart is one run again.
  for (ExtentNode* run = extents_.first_ending_after(region.va); run && run->va < region.end;
       run = run->following()) {
    run = &extents_.join(*run, region.va, region.end);
  }
}

/// Takes write permission from the region's private pages, but for those in `kept`.
Result<> AddressSpace::write_protect(const Region& region, Range kept) {
  if (region.source.shared) return {};
  if (kept.begin < region.end && kept.end > region.va) {
    TRY(extents_.split_at(kept.begin));
    TRY(extents_.split_at(kept.end));
  }
  protect_extents(extents_, region.va, region.end, [&](const ExtentNode& run) {
    const bool stays = run.va >= kept.begin && run.end() <= kept.end;
    return stays ? run.protection : without_write(run.protection);
  });
  return {};
}

}  // namespace guest
