// FileMappings: see the header. Called by RegionMap, by file systems in the calls that write and
// truncate, and by page faults of shared mappings.
#include "guest/mm/file_mappings.h"

#include <algorithm>

#include "guest/mm/address_space.h"

namespace guest {

void FileMappings::add(Region& region) {
  region.next_of_file = first_;
  region.link_of_file = &first_;
  if (first_) first_->link_of_file = &region.next_of_file;
  first_ = &region;
}

std::uint64_t FileMappings::count() const {
  std::uint64_t count = 0;
  for (const Region* region = first_; region; region = region->next_of_file) ++count;
  return count;
}

Result<> FileMappings::cut(std::uint64_t size) {
  if (!first_) return {};
  const std::uint64_t from = page_up(size);
  AddressSpace* current = AddressSpace::current();
  auto is_current = [&](const Region& region) {
    return current && region.map == &current->regions();
  };
  // What can fail comes first.
  for (Region* region = first_; region; region = region->next_of_file)
    if (is_current(*region)) TRY(current->cut(*region, from));
  for (Region* region = first_; region; region = region->next_of_file) {
    if (is_current(*region) || region->file_offset(region->end) <= from) continue;
    region->cut_from = std::min(region->cut_from, from);
    region->map->any_behind = true;
  }
  return {};
}

bool FileMappings::any_writes() const {
  for (const Region* region = first_; region; region = region->next_of_file)
    if (region->source.shared && region->source.may_write) return true;
  return false;
}

void FileMappings::renew_text() {
  for (Region* region = first_; region; region = region->next_of_file)
    region->text_changed = region->map->any_behind = true;
  AddressSpace* current = AddressSpace::current();
  if (current && !current->intact()) current->catch_up();
}

}  // namespace guest
