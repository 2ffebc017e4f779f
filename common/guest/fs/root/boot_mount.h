// The root file system at boot: takes the boot tree's frames over in place.
#pragma once

#include "guest/heap/string.h"
#include "guest/heap/vec.h"
#include "guest/vfs/mounts.h"

namespace guest {

/// Builds the root file system from the boot tree in `frames`, and hands out the first
/// program's arguments. Called once, by the boot code, after heap and frames. A tree that makes no
/// sense ends in hypercalls().panic(), naming what is wrong with it; errors here are ENOMEM.
Result<> mount_boot_tree(FrameRun frames, Vec<String>& argv, Vec<String>& envp);

}  // namespace guest
