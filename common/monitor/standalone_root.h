// The root file system of a standalone run: called once by the runner's init, in a mount namespace
// of its own, before it starts the program.
#pragma once

#include <string>

#include "monitor/root_tree.h"

namespace monitor {

struct StandaloneRoot {
  int marker_fifo = -1;  // what the program writes to /dev/marker; reading never blocks
  std::string warning;   // empty: nothing is missing
};

/// Unpacks the tree into a fresh tmpfs, adds device nodes and /proc, and makes it the root and the
/// current folder of this process. Throws HostError. Only for a process that is about to be alone
/// in its mount namespace: it makes mount propagation private and drops the old root.
StandaloneRoot enter_root(const RootTree&);

}  // namespace monitor
