// The root file system of a standalone run: called once by the runner's init, in a mount namespace
// of its own, before it starts the program.
#pragma once

#include <string>

#include "monitor/machine/machine_config.h"

namespace monitor {

struct StandaloneRoot {
  int marker_fifo = -1;  // what the program writes to /dev/marker; reading never blocks
  std::string warning;   // empty: nothing is missing
};

/// Unpacks the tree into a fresh tmpfs, adds device nodes and /proc, and makes it the root and the
/// current folder of this process. Throws HostError. Only for a process that is about to be alone
/// in its mount namespace: it makes mount propagation private and drops the old root.
StandaloneRoot enter_root(const RootTree&);

/// The same for a tree that lies on the host's file system: the root is an overlay over it, whose
/// upper layer is on that file system too, so that writing and flushing cost what they cost there;
/// a tmpfs on /tmp and one on /dev, as guests have them. Where the host allows no overlay the tree
/// itself is the root, written to, and the warning says so.
StandaloneRoot enter_host_root(const HostRoot&);

}  // namespace monitor
