// The driver for the one disk there is.
#pragma once

#include "guest/vfs/block_device.h"

namespace guest {

/// The machine's disk; nullptr when it has none.
BlockDevice* machine_disk();

}  // namespace guest
