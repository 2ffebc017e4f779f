// Credentials: user and group ids of a process. Files do not check them: there everybody acts as
// root. Changed by identity_calls; execve tells the program of them.
#pragma once

#include <cstdint>

#include "guest/base/ref.h"
#include "guest/heap/vec.h"

namespace guest {

struct GroupList : Counted, Allocated<HeapKind::file> {
  Vec<std::uint32_t> ids{HeapKind::file};  // up to 256 KiB
};

/// Root has them all, nobody else has one: those that Linux 6.1 knows.
inline constexpr std::uint64_t all_capabilities = 0x1ff'ffff'ffff;

struct Credentials {
  std::uint32_t uid = 0, euid = 0, suid = 0;
  std::uint32_t gid = 0, egid = 0, sgid = 0;
  Ref<GroupList> groups;  // supplementary ones; null: none
};

}  // namespace guest
