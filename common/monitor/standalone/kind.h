// The kind of machine that is none: the program on the host itself.
#pragma once

#include "monitor/machine/kind.h"

namespace monitor {

extern const Kind standalone_kind;

}  // namespace monitor
