// spaces=remap: one host address space for all guest address spaces. A guest context switch unmaps
// all user memory and maps the next space's runs, one host call each: the cost that the paper's
// third extension removes. Called by spaces.cpp; kernel mode.
#include <asm/errno.h>
#include <asm/unistd_64.h>

#include "extended-vmm/trap/upcall.h"

namespace extended {

void replace_mappings(const vmi::Extent* extents) {
  sure("munmap", counted_host(__NR_munmap, vmi::user_begin, vmi::user_end - vmi::user_begin));
  for (; extents != nullptr; extents = extents->next) {
    const std::int64_t mapped =
        map(extents->va, extents->frame, extents->count, extents->protection, 0);
    if (mapped == -ENOMEM) break;  // more runs than a host process has mappings: faults bring them
    sure("mmap", mapped);
  }
}

}  // namespace extended
