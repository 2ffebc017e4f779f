// See new_node.h.
#include "guest/vfs/new_node.h"

namespace guest {
namespace {

constexpr std::uint32_t set_group = 02000;

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
  TRY(give_to(caller, *made, *name.directory));
  if (made->mode() != mode) TRY(made->set_mode(mode));  // a new owner takes the set-id bits
  return made;
}

}  // namespace guest
