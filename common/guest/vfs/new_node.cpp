// See new_node.h.
#include "guest/vfs/new_node.h"

#include "guest/vfs/notice.h"

namespace guest {
namespace {

constexpr std::uint32_t set_group = 02000;

/// A new owner takes the set-id bits; a set-group-ID directory that of a program, if its group is
/// not the maker's.
Result<> settle(Inode& made, Inode& directory, std::uint32_t mode, const Caller& caller) {
  constexpr std::uint32_t group_program = 02010;
  TRY(give_to(caller, made, directory));
  if ((mode & group_program) == group_program && !made.is(mode_directory) && !caller.is_root() &&
      !caller.in_group(made.stat().gid))
    mode &= ~set_group;
  return made.mode() == mode ? Result<>() : made.set_mode(mode);
}

}  // namespace

Result<> give_to(const Caller& caller, Inode& made, Inode& directory) {
  const Stat above = directory.stat();
  const std::uint32_t group = above.mode & set_group ? above.gid : caller.gid;
  if (caller.uid == 0 && group == 0) return {};
  return made.set_owner(caller.uid, group);
}

Result<Ref<Inode>> make_node(const PathResult& name, std::uint32_t mode, std::uint64_t rdev,
                             const Caller& caller) {
  TRY(check_adding(*name.directory, caller));
  if ((mode & mode_type) == mode_directory) mode |= name.directory->mode() & set_group;
  Ref<Inode> made = TRY(name.directory->create(name.last, mode, rdev));
  TRY(settle(*made, *name.directory, mode, caller));
  const std::uint32_t kind = made->is(mode_directory) ? std::uint32_t{abi::in_isdir} : 0;
  notice_entry(*name.directory, abi::in_create | kind, name.last);
  return made;
}

Result<Ref<Inode>> make_unnamed(Inode& directory, std::uint32_t mode, bool may_get_one,
                                const Caller& caller) {
  TRY(check_adding(directory, caller));
  Ref<Inode> made = TRY(directory.create_unnamed(mode_regular | mode));
  TRY(settle(*made, directory, mode_regular | mode, caller));
  made->waits_for_name = may_get_one;
  return made;
}

}  // namespace guest
