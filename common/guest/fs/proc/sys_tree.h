// /sys, as much of it as lscpu, lsblk and C libraries ask for: the CPU and the disk.
#pragma once

#include "guest/vfs/inode.h"

namespace guest {

/// Its root, to be found in `above`.
Result<Ref<Inode>> make_sys(Ref<Inode> above);

}  // namespace guest
