// spaces=pool, inside the resident part: see pool.cpp.
#pragma once

#include <cstdint>

#include "vmi/hypercalls.h"

namespace extended {

/// -EAGAIN: no more host processes.
std::int64_t pool_create(vmi::SpaceId);
void pool_destroy(vmi::SpaceId);
void pool_switch(vmi::SpaceId, const vmi::Extent* extents);

}  // namespace extended
