// What fcntl does about locks and leases: the part of descriptor_calls.cpp that is in
// lock_calls.cpp.
#pragma once

#include "guest/syscall/args.h"
#include "guest/vfs/inode.h"

namespace guest {

/// EINVAL: the command is about something else.
Result<std::int64_t> lock_command(File& file, const Args& args);

}  // namespace guest
