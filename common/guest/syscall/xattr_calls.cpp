// System calls on extended attributes. No file system here has any: lists are empty, and to ask for
// one or to set one is what Linux calls not supported. Only the file must be there.
#include "guest/abi/file_flags.h"
#include "guest/syscall/handlers.h"
#include "guest/syscall/path_arguments.h"

namespace guest {
namespace {

Result<> named(const Args& args, Last last) {
  TRY(path_argument(abi::at_fdcwd, args.user(0), last));
  return {};
}
Result<> opened(const Args& args) {
  TRY(file_argument(args.i32(0)));
  return {};
}

}  // namespace

Result<std::int64_t> sys_setxattr(const Args& args) {
  TRY(named(args, Last::follow));
  return Errno::notsup;
}
Result<std::int64_t> sys_lsetxattr(const Args& args) {
  TRY(named(args, Last::no_follow));
  return Errno::notsup;
}
Result<std::int64_t> sys_fsetxattr(const Args& args) {
  TRY(opened(args));
  return Errno::notsup;
}

Result<std::int64_t> sys_getxattr(const Args& args) {
  return sys_setxattr(args);
}
Result<std::int64_t> sys_lgetxattr(const Args& args) {
  return sys_lsetxattr(args);
}
Result<std::int64_t> sys_fgetxattr(const Args& args) {
  return sys_fsetxattr(args);
}

Result<std::int64_t> sys_listxattr(const Args& args) {
  TRY(named(args, Last::follow));
  return 0;
}
Result<std::int64_t> sys_llistxattr(const Args& args) {
  TRY(named(args, Last::no_follow));
  return 0;
}
Result<std::int64_t> sys_flistxattr(const Args& args) {
  TRY(opened(args));
  return 0;
}

Result<std::int64_t> sys_removexattr(const Args& args) {
  return sys_setxattr(args);
}
Result<std::int64_t> sys_lremovexattr(const Args& args) {
  return sys_lsetxattr(args);
}
Result<std::int64_t> sys_fremovexattr(const Args& args) {
  return sys_fsetxattr(args);
}

}  // namespace guest
