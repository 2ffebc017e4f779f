// System calls that replace a program: execve, and execveat, which may name its file by a
// descriptor.
#include "guest/abi/file_flags.h"
#include "guest/base/log.h"
#include "guest/exec/program_start.h"
#include "guest/syscall/path_arguments.h"

namespace guest {
namespace {

Result<std::int64_t> execute_file(const Place& file, std::string_view path, std::string_view name,
                                  UserAddress argv, UserAddress envp) {
  ProgramStrings strings(most_string_bytes(current_process()));
  TRY(strings.push_array(argv));
  // A program with argc 0 has been a security hole once too often: Linux gives it an empty name.
  if (strings.count() == 0) TRY(strings.push(std::string_view()));
  const std::uint64_t arguments = strings.count();
  TRY(strings.push_array(envp));
  TRY(strings.push(path));
  TRY(execute({file, path, name, strings, arguments, current_process().fs.shared()}));
  return 0;
}

/// The program is an open file.
Result<std::int64_t> execute_descriptor(int fd, UserAddress argv, UserAddress envp) {
  Ref<File> file = TRY(current_process().files->get(fd));
  char path[32];
  format_text(path, sizeof path, "/dev/fd/%d", fd);
  const Place place{file->inode_ref(), file->found_in};
  const String found = TRY(current_process().fs->shown_path_of(place, path));
  return execute_file(place, path, last_part(found.view()), argv, envp);
}

}  // namespace

Result<std::int64_t> sys_execve(const Args& args) {
  const String path = TRY(string_from_user(args.user(0)));
  if (path.size() == 0) return Errno::noent;
  const Place file = TRY(current_process().fs->find(path.view(), current_caller()));
  return execute_file(file, path.view(), last_part(path.view()), args.user(1), args.user(2));
}

Result<std::int64_t> sys_execveat(const Args& args) {
  const std::uint32_t flags = args.u32(4);
  if (flags & ~(abi::at_empty_path | abi::at_symlink_nofollow)) return Errno::inval;
  const String path = TRY(string_from_user(args.user(1)));
  if (path.size() == 0 && flags & abi::at_empty_path)
    return execute_descriptor(args.i32(0), args.user(2), args.user(3));
  const Last last = flags & abi::at_symlink_nofollow ? Last::no_follow : Last::follow;
  const Place file = TRY(path_argument(args.i32(0), TRY(String::from(path.view())), last)).place();
  if (file.inode->is(mode_symlink)) return Errno::loop;
  String named;
  if (args.i32(0) != abi::at_fdcwd && path.view().front() != '/') {
    char folder[32];
    format_text(folder, sizeof folder, "/dev/fd/%d/", args.i32(0));
    TRY(named.append(folder));
  }
  TRY(named.append(path.view()));
  return execute_file(file, named.view(), last_part(path.view()), args.user(2), args.user(3));
}

}  // namespace guest
