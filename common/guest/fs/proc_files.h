// /proc, as much of it as busybox asks for: self/exe, mounts, meminfo, uptime, loadavg. Contents
// are made at each read; inodes are made at each lookup from a table and hold no state.
#pragma once

#include "guest/fs/ramfs.h"

namespace guest {

/// Mounts it on /proc, which is made if it is missing.
Result<> mount_proc(RamDirectory& root);

}  // namespace guest
