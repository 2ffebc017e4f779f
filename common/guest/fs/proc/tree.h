// /proc, as much of it as ps, top, shells and coreutils ask for: the processes (process.h),
// and mounts, meminfo, uptime, loadavg, stat, sys/kernel.
#pragma once

#include "guest/fs/ram/ramfs.h"

namespace guest {

/// The contents of /proc/mounts.
Result<String> proc_mounts();

/// Mounts it on /proc, which is made if it is missing.
Result<> mount_proc(RamDirectory& root);

}  // namespace guest
