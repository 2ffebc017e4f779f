// Contents from one open file into another without passing through user memory: sendfile.
#pragma once

#include "guest/vfs/inode.h"

namespace guest {

/// Up to `bytes` from offset `at` of `from`, a regular file, to where `to` stands. EINVAL: `from`
/// cannot be read that way, and programs fall back to read and write.
Result<std::size_t> transfer(File& from, std::uint64_t at, File& to, std::size_t bytes);

}  // namespace guest
