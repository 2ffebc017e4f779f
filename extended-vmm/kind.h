// The kind of machine that this folder is. Entered in machines/kinds.cpp.
#pragma once

#include "extended-vmm/axes.h"
#include "extended-vmm/protect/policy.h"
#include "monitor/machine/kind.h"

namespace extended {

extern const monitor::Kind kind;

/// A configuration of this kind, in the monitor's own terms.
struct Point {
  Trap trap;
  const Policy& protect;
  Spaces spaces;
};
Point point_of(const monitor::Config&);

}  // namespace extended
