// /proc/PID/fd: a process's open files as links, by which a path can name a file that has no name:
// bash's process substitution opens pipes as /dev/fd/63. And fdinfo: their positions and flags.
#pragma once

#include "guest/fs/proc/node.h"

namespace guest {

/// That process's directory, found in `above`.
Result<Ref<Inode>> make_descriptor_directory(int pid, bool info, Ref<Inode> above);

}  // namespace guest
