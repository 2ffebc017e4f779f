// inotify_init, inotify_add_watch, inotify_rm_watch. What is watched, and how, is in
// fs/events/inotify.h.
#include "guest/fs/events/inotify.h"
#include "guest/proc/process.h"
#include "guest/syscall/path_arguments.h"

namespace guest {
namespace {

Result<std::int64_t> make(std::uint32_t flags) {
  if (flags & ~(abi::o_cloexec | abi::o_nonblock)) return Errno::inval;
  TRY(check_room_for_files(1));
  return install_file(TRY(make_inotify(flags & abi::o_nonblock)), flags);
}

}  // namespace

Result<std::int64_t> sys_inotify_init(const Args&) {
  return make(0);
}
Result<std::int64_t> sys_inotify_init1(const Args& args) {
  return make(args.u32(0));
}

Result<std::int64_t> sys_inotify_add_watch(const Args& args) {
  constexpr std::uint32_t how = abi::in_onlydir | abi::in_dont_follow | abi::in_excl_unlink |
                                abi::in_mask_create | abi::in_mask_add | abi::in_isdir |
                                abi::in_oneshot;
  const std::uint32_t mask = args.u32(2);
  if (!(mask & (abi::in_all_events | abi::in_unmount | abi::in_q_overflow | abi::in_ignored | how)))
    return Errno::inval;
  const Ref<File> file = TRY(file_argument(args.i32(0)));
  if (mask & abi::in_mask_add && mask & abi::in_mask_create) return Errno::inval;
  auto* inotify = file_as<Inotify>(*file);
  if (!inotify) return Errno::inval;
  const Last last = mask & abi::in_dont_follow ? Last::no_follow : Last::follow;
  const Ref<Inode> inode = TRY(path_argument(abi::at_fdcwd, args.user(1), last)).inode;
  if (mask & abi::in_onlydir && !inode->is(mode_directory)) return Errno::notdir;
  TRY(check_access(*inode, may_read, current_caller()));
  return std::int64_t{TRY(inotify->watch(inode, mask))};
}

Result<std::int64_t> sys_inotify_rm_watch(const Args& args) {
  return as_zero(TRY(file_argument_as<Inotify>(args.i32(0)))->forget(args.i32(1)));
}

}  // namespace guest
