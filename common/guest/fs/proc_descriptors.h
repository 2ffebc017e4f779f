// /proc/self/fd: the current process's open files as links, by which a path can name a file that
// has no name: bash's process substitution opens pipes as /dev/fd/63.
#pragma once

#include "guest/base/make.h"
#include "guest/fs/inode.h"

namespace guest {

/// The directory, found in `above`.
Result<Ref<Inode>> make_descriptor_directory(Ref<Inode> above);

}  // namespace guest
