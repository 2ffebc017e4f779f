// Mounts: the root of all, and directories in which one name leads to the root of another file
// system. Few, made at boot, never undone. Asked by path lookup at each component, so a directory
// without mounts must be told quickly.
#pragma once

#include <string_view>

#include "guest/vfs/inode.h"

namespace guest {

/// Where all paths begin.
struct RootMount {
  Inode* root;                // held for ever
  const char *source, *type;  // as /proc/mounts has them
};
/// At boot, once.
void mount_root(Ref<Inode> root, const char* source, const char* type);
const RootMount& root_mount();
/// Null before mount_root.
Ref<Inode> root_inode();

/// From now on `name` (which must live as long as the kernel) in `directory` is `root`. ENOMEM: too
/// many mounts.
Result<> add_mount(Ref<Inode> directory, std::string_view name, Ref<Inode> root);

/// What `name` leads to in `directory`, mounts considered.
Result<Ref<Inode>> lookup_through_mounts(Inode& directory, std::string_view name);
/// The directory above, mounts considered.
Result<Ref<Inode>> parent_through_mounts(Inode& directory);
/// Inode::entry with mounts considered: where the directory itself lacks a mount's name, it comes
/// behind the names it has.
Result<DirectoryEntry> entry_through_mounts(Inode& directory, std::uint64_t& position);
/// The name under which `root` is mounted; empty when it is not.
std::string_view mount_name(Inode& root);
/// And of each, for lists.
std::size_t mount_count();
std::string_view mount_name(std::size_t index);

}  // namespace guest
