// Address spaces, spaces=remap: there is one host address space. To switch, all of the old guest
// address space is unmapped and the new one mapped run by run, as on the paper's unmodified host.
#include <asm/errno.h>

#include "baseline-vmm/resident/resident.h"
#include "monitor/resident/host_result.h"

namespace baseline {

namespace {

/// Of a host call that cannot fail.
void sure(const char* call, std::int64_t result) {
  if (result >= 0) return;
  char message[monitor::failure_bytes];
  monitor::describe_failure(message, call, result);
  panic(message);
}

}  // namespace

std::int64_t create_space(vmi::SpaceId) {
  return 0;
}

void destroy_space(vmi::SpaceId) {}

void switch_space(vmi::SpaceId, const vmi::Extent* extents) {
  ++shared_info().counters.space_switches;
  vmi::Charged charged(time_accounts(), vmi::account_spaces);
  sure("munmap", unmap(vmi::user_begin, vmi::pages_between(vmi::user_begin, vmi::user_end)));
  for (const vmi::Extent* e = extents; e; e = e->next) {
    const std::int64_t mapped = map(e->va, e->frame, e->count, e->protection, 0);
    if (mapped == -ENOMEM) break;  // more runs than a host process has mappings: faults bring them
    sure("mmap", mapped);
  }
}

}  // namespace baseline
