// FsContext: where a process's paths start (root and working directory) and its umask. Shared by
// threads, cloned by fork.
#pragma once

#include <string_view>

#include "guest/base/make.h"
#include "guest/base/string.h"
#include "guest/fs/inode.h"

namespace guest {

class FsContext : public Counted {
 public:
  /// Both root and working directory are `root`.
  static Result<Ref<FsContext>> create(Ref<Inode> root);
  Result<Ref<FsContext>> clone();

  /// The working directory's path below root; ENOENT when it has been removed.
  Result<String> working_path() const;
  /// A directory's path below root.
  Result<String> path_of(Ref<Inode> directory) const;

  /// execve: the program that runs from now on, for /proc/self/exe.
  Result<> note_program(std::string_view path);
  /// Its absolute path, symlinks resolved.
  [[nodiscard]] std::string_view program() const { return program_.view(); }

  Ref<Inode> root;
  Ref<Inode> cwd;
  std::uint32_t umask = 022;

 private:
  String program_;
};

}  // namespace guest
