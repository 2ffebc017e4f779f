// The kind of machine that this folder is. Entered in machines/kinds.cpp.
#pragma once

#include "baseline-vmm/axes.h"
#include "monitor/machine/kind.h"

namespace baseline {

extern const monitor::Kind kind;

/// Of a configuration of this kind.
Trap trap_of(const monitor::Config&);

}  // namespace baseline
