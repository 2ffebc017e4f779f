// /proc, as much of it as ps, top, shells and coreutils ask for: the processes (process.h), the
// machine (machine.h), sys/kernel, sys/fs and sys/vm. And /sys.
#pragma once

#include "guest/fs/ram/ramfs.h"

namespace guest {

/// Mounts them on /proc and /sys, which are made if they are missing.
Result<> mount_proc_and_sys(RamDirectory& root);

}  // namespace guest
