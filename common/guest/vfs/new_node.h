// Making a node with a name: what all do who may, system calls and local sockets.
#pragma once

#include "guest/vfs/path.h"

namespace guest {

/// It is the caller's; its group, in a set-group-ID directory, that one's. EACCES.
Result<Ref<Inode>> make_node(const PathResult& name, std::uint32_t mode, std::uint64_t rdev,
                             const Caller& caller);
/// The same without a name; `may_get_one` later, by linkat. EOPNOTSUPP.
Result<Ref<Inode>> make_unnamed(Inode& directory, std::uint32_t mode, bool may_get_one,
                                const Caller& caller);
/// What has just been made in `directory` is the caller's.
Result<> give_to(const Caller& caller, Inode& made, Inode& directory);

}  // namespace guest
