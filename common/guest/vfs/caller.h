// Caller: who asks the file system for something, by the ids that count for files; and what files
// let him do. Root is let do everything but execute what nobody may.
#pragma once

#include <cstddef>
#include <cstdint>

#include "guest/vfs/inode.h"

namespace guest {

struct Caller {
  std::uint32_t uid = 0, gid = 0;
  const std::uint32_t* groups = nullptr;  // supplementary ones
  std::size_t group_count = 0;

  [[nodiscard]] bool is_root() const { return uid == 0; }
  [[nodiscard]] bool in_group(std::uint32_t group) const;
};

/// As access() numbers them.
enum Access : std::uint32_t { may_execute = 1, may_write = 2, may_read = 4 };

/// Some of these, to an inode; to execute is to search, of directories. EACCES.
Result<> check_access(Inode& inode, std::uint32_t wanted, const Caller& caller);
/// To what only a file's owner may do: EPERM.
Result<> check_owner(Inode& inode, const Caller& caller);
/// To make a name in a directory. EACCES.
Result<> check_adding(Inode& directory, const Caller& caller);
/// To take a name away from one: in sticky directories only those of one's own. EACCES, EPERM.
Result<> check_removing(Inode& directory, Inode& inode, const Caller& caller);
/// The set-id bits that a file loses when this caller changes whose it is.
std::uint32_t lost_set_ids(Inode& inode, const Caller& caller);
/// And before he changes its contents, unless he is root.
Result<> take_set_ids(Inode& inode, const Caller& caller);
/// To give somebody else's file another name: not what he could not be tricked with. EPERM.
Result<> check_linking(Inode& inode, const Caller& caller);

}  // namespace guest
