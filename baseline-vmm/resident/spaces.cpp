// Address spaces, spaces=remap: there is one host address space. To switch, all of the old guest
// address space is unmapped and the new one mapped run by run, as on the paper's unmodified host.
#include "baseline-vmm/resident/resident.h"

namespace baseline {

std::int64_t create_space(vmi::SpaceId) {
  return 0;
}

void destroy_space(vmi::SpaceId) {}

void switch_space(vmi::SpaceId, const vmi::Extent* extents) {
  ++shared_info().counters.space_switches;
  vmi::Charged charged(time_accounts(), vmi::account_spaces);
  if (unmap(vmi::user_begin, (vmi::user_end - vmi::user_begin) >> vmi::page_shift) != 0) {
    panic("baseline: cannot unmap the old address space");
  }
  for (const vmi::Extent* e = extents; e; e = e->next) {
    if (map(e->va, e->frame, e->pages, e->protection, 0) != 0) {
      panic("baseline: cannot map the new address space");
    }
  }
}

}  // namespace baseline
