// spaces=remap: one host address space for all guest address spaces. A guest context switch unmaps
// all user memory and maps the next space's runs, one host call each: the cost that the paper's
// third extension removes. Hypercalls of the guest kernel; kernel mode.
#include <asm/unistd_64.h>

#include "extended-vmm/trap/upcall.h"

namespace extended {

std::int64_t create_space(vmi::SpaceId) {
  return 0;
}

void destroy_space(vmi::SpaceId) {}

void switch_space(vmi::SpaceId, const vmi::Extent* extents) {
  ++shared_info().counters.space_switches;
  counted_host(__NR_munmap, vmi::user_begin, vmi::user_end - vmi::user_begin);
  for (; extents != nullptr; extents = extents->next)
    map(extents->va, extents->frame, extents->pages, extents->protection, 0);
}

}  // namespace extended
