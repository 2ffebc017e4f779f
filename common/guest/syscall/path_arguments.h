// Descriptor and path arguments, as the file calls have them in common.
#pragma once

#include "guest/syscall/args.h"
#include "guest/vfs/file_table.h"
#include "guest/vfs/fs_context.h"
#include "guest/vfs/new_node.h"

namespace guest {

/// Who asks.
Caller current_caller();

/// The open file behind a descriptor; EBADF. With `access`, only if it was opened for that.
Result<Ref<File>> file_argument(int fd);
Result<Ref<File>> readable_file(int fd);
Result<Ref<File>> writable_file(int fd);

/// The same for a file that must be a T; `otherwise`: it is another.
template <class T>
Result<Ref<T>> file_argument_as(int fd, Errno otherwise = Errno::inval) {
  Ref<File> file = TRY(file_argument(fd));
  T* wanted = file_as<T>(*file);
  if (!wanted) return otherwise;
  return Ref<T>(wanted);
}

/// Gives a file that a call has made a descriptor; of `flags`, O_CLOEXEC counts.
Result<std::int64_t> install_file(Ref<File> file, std::uint32_t flags);

/// Before files are opened: ENFILE when the guest has as many as it may.
Result<> check_room_for_files(std::uint32_t wanted);

/// Resolves a path that starts at `directory_fd` (AT_FDCWD: the working directory).
Result<PathResult> path_argument(int directory_fd, UserAddress path, Last last,
                                 const Caller& caller = current_caller());
/// One that has been copied already.
Result<PathResult> path_argument(int directory_fd, String path, Last last,
                                 const Caller& caller = current_caller());
/// The same for calls with AT_EMPTY_PATH and AT_SYMLINK_NOFOLLOW in `flags`: what is meant, and
/// where it was found.
Result<Place> place_argument(int directory_fd, UserAddress path, std::uint32_t flags,
                             Last last = Last::follow, const Caller& caller = current_caller());
/// The inode alone.
Result<Ref<Inode>> inode_argument(int directory_fd, UserAddress path, std::uint32_t flags,
                                  Last last = Last::follow,
                                  const Caller& caller = current_caller());

/// For handlers that return 0, or a count.
inline Result<std::int64_t> as_zero(Result<> result) {
  if (!result.ok()) return result.error();
  return std::int64_t{0};
}
template <class T>
Result<std::int64_t> as_count(Result<T> result) {
  if (!result.ok()) return result.error();
  return static_cast<std::int64_t>(result.value());
}

}  // namespace guest
