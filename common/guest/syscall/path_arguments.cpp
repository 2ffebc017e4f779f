// See path_arguments.h. All of it works for the current process.
#include "guest/syscall/path_arguments.h"

#include "guest/abi/file_flags.h"
#include "guest/proc/process.h"
#include "guest/vfs/open_files.h"

namespace guest {
namespace {

Result<Place> base_place(int directory_fd) {
  if (directory_fd == abi::at_fdcwd) return Place{current_process().fs->cwd, {}};
  return TRY(current_process().files->get(directory_fd))->place();
}

}  // namespace

Result<Ref<File>> file_argument(int fd) {
  Ref<File> file = TRY(current_process().files->get(fd));
  if (file->flags & abi::o_path) return Errno::badf;
  return file;
}

Result<Ref<File>> readable_file(int fd) {
  Ref<File> file = TRY(file_argument(fd));
  if (!abi::may_read(file->flags)) return Errno::badf;
  return file;
}

Result<Ref<File>> writable_file(int fd) {
  Ref<File> file = TRY(file_argument(fd));
  if (!abi::may_write(file->flags)) return Errno::badf;
  return file;
}

Result<std::int64_t> install_file(Ref<File> file, std::uint32_t flags) {
  Process& self = current_process();
  return static_cast<std::int64_t>(
      TRY(self.files->install(std::move(file), self.open_limit(), flags & abi::o_cloexec)));
}

Result<> check_room_for_files(std::uint32_t wanted) {
  return open_files.check_room(wanted, current_thread().credentials.euid == 0);
}

Caller current_caller() {
  return current_thread().credentials.caller();
}

Result<PathResult> path_argument(int directory_fd, UserAddress path, Last last,
                                 const Caller& caller) {
  return path_argument(directory_fd, TRY(string_from_user(path, abi::path_max)), last, caller);
}

Result<PathResult> path_argument(int directory_fd, String path, Last last, const Caller& caller) {
  PathStart start{current_process().fs->root, {}, caller};
  if (path.size() == 0) return Errno::noent;
  if (path.view().front() != '/') {
    start.base = TRY(base_place(directory_fd)).inode;
    if (!start.base->is(mode_directory)) return Errno::notdir;
  }
  return walk_path(start, std::move(path), last);
}

Result<Ref<Inode>> inode_argument(int directory_fd, UserAddress path, std::uint32_t flags,
                                  Last last, const Caller& caller) {
  return TRY(place_argument(directory_fd, path, flags, last, caller)).inode;
}

Result<Place> place_argument(int directory_fd, UserAddress path, std::uint32_t flags, Last last,
                             const Caller& caller) {
  String text = TRY(string_from_user(path, abi::path_max));
  if (flags & abi::at_empty_path && text.size() == 0) return base_place(directory_fd);
  if (flags & abi::at_symlink_nofollow) last = Last::no_follow;
  return TRY(path_argument(directory_fd, std::move(text), last, caller)).place();
}

}  // namespace guest
