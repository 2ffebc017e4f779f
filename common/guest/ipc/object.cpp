// See object.h.
#include "guest/ipc/object.h"

#include "guest/base/clock.h"

namespace guest {

Result<> IpcOwner::check(std::uint32_t wanted, const Caller& caller) const {
  const std::uint32_t asked = (wanted >> 6 | wanted >> 3 | wanted) & 7;
  const bool owns = caller.uid == uid || caller.uid == creator_uid;
  const int shift = owns ? 6 : caller.in_group(gid) || caller.in_group(creator_gid) ? 3 : 0;
  return caller.is_root() || !(asked & ~(mode >> shift)) ? Result<>() : Errno::acces;
}

Result<> IpcOwner::check_owner(const Caller& caller) const {
  const bool owns = caller.uid == uid || caller.uid == creator_uid;
  return caller.is_root() || owns ? Result<>() : Errno::perm;
}

void IpcOwner::change(const abi::IpcPermissions& wanted) {
  uid = wanted.uid;
  gid = wanted.gid;
  mode = wanted.mode & 0777;
}

std::int64_t ipc_now() {
  return static_cast<std::int64_t>(realtime_ns() / ns_per_second);
}

abi::IpcPermissions permissions_of(const IpcOwner& owner, int number) {
  abi::IpcPermissions out{};
  out.key = owner.key;
  out.uid = owner.uid;
  out.gid = owner.gid;
  out.creator_uid = owner.creator_uid;
  out.creator_gid = owner.creator_gid;
  out.mode = owner.mode;
  out.sequence = static_cast<std::uint16_t>(number >> 15);
  return out;
}

}  // namespace guest
