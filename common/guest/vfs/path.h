// Path resolution: from a string to an inode, or to the directory entry that a call is about to
// make, remove or rename. Each directory on the way must let the caller search it (EACCES).
#pragma once

#include <string_view>

#include "guest/heap/string.h"
#include "guest/vfs/caller.h"

namespace guest {

/// Where a walk begins: absolute paths and absolute symlinks at `root`, others at `base`. ".."
/// never leaves `root`.
struct PathStart {
  Ref<Inode> root;
  Ref<Inode> base;
  Caller caller = {};
};

/// What to do with the last component.
enum class Last {
  follow,            // a symlink is followed; it must exist
  no_follow,         // a symlink is the result, unless a slash follows it
  entry,             // the name itself is meant: never followed, may be missing
  follow_or_create,  // a symlink is followed; what it leads to may be missing (O_CREAT)
};

struct PathResult {
  Ref<Inode> directory;   // that holds (or would hold) the last component
  std::string_view last;  // its name there: "." for "/" and the like, ".." possible
  Ref<Inode> inode;       // null when missing
  bool trailing_slash = false;

  /// Of a link straight to a file, where that was found.
  Ref<Inode> elsewhere;
  [[nodiscard]] Place place() const { return {inode, elsewhere ? elsewhere : directory}; }

  /// The last component is a name that can be made or removed.
  [[nodiscard]] bool has_name() const { return last != "." && last != ".."; }

  String storage[2];  // own the bytes of `last`: the caller's path, a symlink's target
};

/// `path` is taken over: the result's `last` may lie in it.
Result<PathResult> walk_path(const PathStart& start, String path, Last last);

}  // namespace guest
