// AddressSpace: what RLIMIT_AS and RLIMIT_DATA count. Asked before anything is mapped, or made
// writable. Sizes are summed up when somebody has such a limit: most have none.
#include <algorithm>

#include "guest/mm/address_space.h"

namespace guest {

std::uint64_t AddressSpace::limit(abi::Resource which) const {
  if (!limits_) return which == abi::limit_stack ? stack_limit : abi::unlimited;
  const abi::ResourceLimit& set = limits_[which];
  // As Linux has it for programs that set a limit of 0 on what they run with brk alone.
  return which == abi::limit_data && set.current == 0 ? set.maximum : set.current;
}

/// So much more than what is mapped now, so much of it data. ENOMEM.
Result<> AddressSpace::check_limits(std::uint64_t more, std::uint64_t more_data) const {
  const std::uint64_t all_limit = limit(abi::limit_as), data_limit = limit(abi::limit_data);
  if (all_limit == abi::unlimited && data_limit == abi::unlimited) return {};
  std::uint64_t all = 0, data = 0;
  for (const Region* region = regions_.first(); region; region = region->following()) {
    all += region->bytes();
    if (region->source.data()) data += region->bytes();
  }
  const bool fits = (more == 0 || all + more <= page_down(all_limit)) &&
                    (more_data == 0 || data + more_data <= page_down(data_limit));
  return fits ? Result<>() : Errno::nomem;
}

/// A region, or a part of one, is to become longer.
Result<> AddressSpace::check_growth(const Region& region, std::uint64_t bytes,
                                    std::uint64_t new_bytes) const {
  const std::uint64_t more = new_bytes > bytes ? new_bytes - bytes : 0;
  return check_limits(more, region.source.data() ? more : 0);
}

/// How much of a range is mapped.
std::uint64_t AddressSpace::mapped_bytes(Range range) const {
  std::uint64_t bytes = 0;
  for (const Region* region = regions_.first_ending_after(range.begin);
       region && region->va < range.end; region = region->following())
    bytes += std::min(region->end, range.end) - std::max(region->va, range.begin);
  return bytes;
}

/// How much of it becomes data by being writable.
std::uint64_t AddressSpace::bytes_made_data(Range range) const {
  std::uint64_t bytes = 0;
  for (const Region* region = regions_.first_ending_after(range.begin);
       region && region->va < range.end; region = region->following()) {
    const RegionSource& source = region->source;
    if (source.shared || source.grows_down || source.data()) continue;
    bytes += std::min(region->end, range.end) - std::max(region->va, range.begin);
  }
  return bytes;
}

}  // namespace guest
