// The machine's disk as the root file system: mounted at boot where there is one, synced by the
// sync calls, released when the machine ends.
#pragma once

#include "guest/proc/observers.h"
#include "guest/vfs/inode.h"

namespace guest {

/// Mounts the disk as the root, with the boot tree's /dev, /proc and /tmp in place of its own.
/// Null: there is no disk. An image that cannot be mounted is named on the console.
Result<Ref<Inode>> mount_disk(Inode& boot_tree);
/// Everything written so far is on stable storage.
Result<> sync_disk();
/// Writes everything back when the machine ends, and leaves the image clean.
ProcessObserver& disk_observer();

}  // namespace guest
