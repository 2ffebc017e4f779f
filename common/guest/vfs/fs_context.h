// FsContext: where a process's paths start (root and working directory) and its umask. Shared by
// threads, cloned by fork.
#pragma once

#include <string_view>

#include "guest/base/share.h"
#include "guest/heap/make.h"
#include "guest/heap/string.h"
#include "guest/vfs/caller.h"

namespace guest {

class FsContext : public Sharable, public Allocated<HeapKind::process> {
 public:
  /// Both root and working directory are `root`.
  static Result<Ref<FsContext>> create(Ref<Inode> root);
  Result<Ref<FsContext>> clone();

  /// What a path leads to, symlinks followed.
  Result<Ref<Inode>> resolve(std::string_view path) const;
  Result<Place> find(std::string_view path, const Caller& caller = {}) const;
  /// The working directory's path below root; ENOENT when it has been removed.
  Result<String> working_path() const;
  /// A directory's path below root.
  Result<String> path_of(Ref<Inode> directory) const;

  /// The path of a file found in this directory; with " (deleted)" when it is not there any more.
  Result<String> path_in(Ref<Inode> directory, Inode& file) const;
  /// And if `name` was its name when it was found.
  Result<String> path_in(const Place& place, std::string_view name) const;

  Ref<Inode> root;
  Ref<Inode> cwd;
  std::uint32_t umask = 022;
};

/// The name under which `directory` holds `child`. ENOENT.
Result<std::string_view> name_in(Inode& directory, Inode& child);

}  // namespace guest
