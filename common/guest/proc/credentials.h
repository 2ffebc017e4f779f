// Credentials: user and group ids of a thread. Changed by identity_calls; execve tells the program
// of them; files (vfs/caller.h) and other processes (permission.h) check them.
#pragma once

#include <cstdint>

#include "guest/base/ref.h"
#include "guest/heap/vec.h"
#include "guest/vfs/caller.h"

namespace guest {

struct GroupList : Counted, Allocated<HeapKind::file> {
  Vec<std::uint32_t> ids{HeapKind::file};  // up to 256 KiB
};

/// Root has them all, nobody else has one: those that Linux 6.1 knows.
inline constexpr std::uint64_t all_capabilities = 0x1ff'ffff'ffff;

struct Credentials {
  std::uint32_t uid = 0, euid = 0, suid = 0;
  std::uint32_t gid = 0, egid = 0, sgid = 0;
  Ref<GroupList> groups;      // supplementary ones; null: none
  bool no_new_privs = false;  // programs' set-id bits mean nothing to it, for ever

  /// It runs with ids that its user does not have: what comes from that user is not to be trusted.
  [[nodiscard]] bool secure() const { return euid != uid || egid != gid; }
  /// Who asks for files: the effective ids; access() looks at the real ones.
  [[nodiscard]] Caller caller() const { return as(euid, egid); }
  [[nodiscard]] Caller real_caller() const { return as(uid, gid); }

 private:
  [[nodiscard]] Caller as(std::uint32_t user, std::uint32_t group) const {
    return groups ? Caller{user, group, groups->ids.begin(), groups->ids.size()}
                  : Caller{user, group};
  }
};

}  // namespace guest
