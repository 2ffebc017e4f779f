// Address spaces: the hypercalls, by the value of the axis `spaces`. Kernel mode.
#include "extended-vmm/spaces/pool.h"
#include "extended-vmm/trap/upcall.h"

namespace extended {
namespace {

bool pooled() {
  return image().start_info.spaces == Spaces::pool;
}

}  // namespace

std::int64_t create_space(vmi::SpaceId id) {
  return pooled() ? pool_create(id) : 0;
}

void destroy_space(vmi::SpaceId id) {
  if (pooled()) pool_destroy(id);
}

void switch_space(vmi::SpaceId id, const vmi::Extent* extents) {
  ++shared_info().counters.space_switches;
  if (pooled())
    pool_switch(id, extents);
  else
    replace_mappings(extents);
}

}  // namespace extended
