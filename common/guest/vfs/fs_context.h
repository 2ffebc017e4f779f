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
  // -- As /proc shows them: " (deleted)" behind the last path of what has none any more.
  Result<String> shown_path_of(const Ref<Inode>& directory) const;
  /// The path of a file, and if `name` was its name when it was found.
  Result<String> shown_path_of(const Place& place, std::string_view name) const;

  Ref<Inode> root;
  Ref<Inode> cwd;
  std::uint32_t umask = 022;

 private:
  Result<String> path_of(Ref<Inode> directory, bool removed_too) const;
};

/// The name under which `directory` holds `child`. ENOENT.
Result<std::string_view> name_in(Inode& directory, Inode& child);

}  // namespace guest
