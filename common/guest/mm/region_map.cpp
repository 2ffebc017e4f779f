// RegionMap: see the header. Called by AddressSpace.
#include "guest/mm/region_map.h"

#include <new>
#include <utility>

namespace guest {

namespace {

bool continues(const Region& left, const Region& right) {
  const RegionSource &a = left.source, &b = right.source;
  return left.end == right.va && a.protection == b.protection && a.shared == b.shared &&
         a.may_write == b.may_write && !a.grows_down && !b.grows_down && a.backing == b.backing &&
         (!a.backing || left.file_offset(left.end) == b.offset);
}

}  // namespace

RegionMap::~RegionMap() {
  for (Region* region = first(); region;) {
    Region* next = region->following();
    delete region;
    region = next;
  }
}

Result<Region*> RegionMap::make(std::uint64_t begin, std::uint64_t end, RegionSource source) {
  if (size() > most_regions) return Errno::nomem;
  void* memory = heap_allocate(sizeof(Region), heap_kind_of_node(size()));
  if (!memory) return Errno::nomem;
  auto* region = new (memory) Region;
  region->va = begin;
  region->end = end;
  region->source = std::move(source);
  region->map = this;
  if (region->source.backing) region->source.backing->mappings.add(*region);
  region->node_height = list_.draw_height();
  return region;
}

void RegionMap::insert(Region& region) {
  const std::uint64_t begin = region.va, end = region.end;
  list_.insert(region);
  join_around(begin, end);
}

Region* RegionMap::find(std::uint64_t va) const {
  Region* region = list_.at_or_before(va);
  return region && va < region->end ? region : nullptr;
}

Region* RegionMap::first_ending_after(std::uint64_t va) const {
  Region* region = list_.at_or_before(va);
  if (!region) return first();
  return va < region->end ? region : region->following();
}

bool RegionMap::free(std::uint64_t begin, std::uint64_t end) const {
  Region* region = first_ending_after(begin);
  return !region || region->va >= end;
}

Result<> RegionMap::add(std::uint64_t begin, std::uint64_t end, RegionSource source) {
  insert(*TRY(make(begin, end, std::move(source))));
  return {};
}

Result<> RegionMap::split_at(std::uint64_t va) {
  Region* left = find(va);
  if (!left || left->va == va) return {};
  RegionSource source = left->source;
  if (source.backing) source.offset = left->file_offset(va);
  Region* right = TRY(make(va, left->end, std::move(source)));
  left->end = va;
  list_.insert(*right);
  return {};
}

void RegionMap::remove(Region& region) {
  list_.erase(region);
  delete &region;
}

void RegionMap::move(Region& region, std::uint64_t begin, std::uint64_t end) {
  list_.erase(region);
  region.va = begin;
  region.end = end;
  insert(region);
}

void RegionMap::join_around(std::uint64_t begin, std::uint64_t end) {
  Region* region = begin ? at_or_before(begin - 1) : nullptr;
  if (!region) region = first();
  while (region && region->va <= end) {
    Region* next = region->following();
    if (next && continues(*region, *next)) {
      region->end = next->end;
      remove(*next);
    } else {
      region = next;
    }
  }
}

}  // namespace guest
