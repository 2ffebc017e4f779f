// What the marker device's log says, once the guest has ended. Both launchers ask.
#pragma once

#include "devices/marker_log.h"
#include "monitor/machine/machine_config.h"

namespace monitor {

/// Adds the markers, and a warning if some did not fit. Anything may stand in the log: it may have
/// lain in guest memory.
void read_markers(const devices::MarkerLog&, Outcome&);

}  // namespace monitor
