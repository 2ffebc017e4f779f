// See caller.h. Called by the walk for each directory, and by the system calls for what they find.
#include "guest/vfs/caller.h"

#include <algorithm>

namespace guest {
namespace {

constexpr std::uint32_t set_user = 04000, set_group = 02000, sticky = 01000, group_execute = 010;

}  // namespace

bool Caller::in_group(std::uint32_t group) const {
  return gid == group || std::find(groups, groups + group_count, group) != groups + group_count;
}

Result<> check_access(Inode& inode, std::uint32_t wanted, const Caller& caller) {
  const std::uint32_t mode = inode.mode();
  if (caller.is_root()) {
    const bool never = wanted & may_execute && !inode.is(mode_directory) && !(mode & 0111);
    return never ? Errno::acces : Result<>();
  }
  const Stat of = inode.stat();
  const int shift = of.uid == caller.uid ? 6 : caller.in_group(of.gid) ? 3 : 0;
  return wanted & ~(mode >> shift) ? Errno::acces : Result<>();
}

Result<> check_owner(Inode& inode, const Caller& caller) {
  return caller.is_root() || inode.stat().uid == caller.uid ? Result<>() : Errno::perm;
}

Result<> check_adding(Inode& directory, const Caller& caller) {
  return check_access(directory, may_write | may_execute, caller);
}

Result<> check_removing(Inode& directory, Inode& inode, const Caller& caller) {
  TRY(check_adding(directory, caller));
  if (!(directory.mode() & sticky) || check_owner(directory, caller).ok()) return {};
  return check_owner(inode, caller);
}

std::uint32_t lost_set_ids(Inode& inode, const Caller& caller) {
  const std::uint32_t mode = inode.mode();
  if (!(mode & (set_user | set_group)) || inode.is(mode_directory)) return 0;
  const bool keeps_group =
      !(mode & group_execute) && (caller.is_root() || caller.in_group(inode.stat().gid));
  return mode & (keeps_group ? set_user : set_user | set_group);
}

Result<> take_set_ids(Inode& inode, const Caller& caller) {
  if (caller.is_root() || !inode.is(mode_regular)) return {};
  const std::uint32_t lost = lost_set_ids(inode, caller);
  return lost ? inode.set_mode(inode.mode() & ~lost) : Result<>();
}

Result<> check_linking(Inode& inode, const Caller& caller) {
  if (check_owner(inode, caller).ok()) return {};
  const std::uint32_t mode = inode.mode(), group_program = set_group | group_execute;
  const bool harmless = inode.is(mode_regular) && !(mode & set_user) &&
                        (mode & group_program) != group_program &&
                        check_access(inode, may_read | may_write, caller).ok();
  return harmless ? Result<>() : Errno::perm;
}

}  // namespace guest
