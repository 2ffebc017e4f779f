// HostCallSites: all that decides which host calls of a guest-machine process are the monitor's.
// The filter is made from it, and so, in another way, is what the observer allows
// (allowed_calls.h).
#pragma once

#include <cstdint>

#include "extended-vmm/resident/image.h"

namespace extended {

/// Where the monitor's host calls are made, as addresses after the syscall instruction, and what
/// the machine has.
struct HostCallSites {
  Protection protection;
  std::uint64_t opened, closed;                // the gate's; unused where the protection has none
  std::uint64_t direct_opened, direct_closed;  // likewise; vmi::gate_base: not in this gate
  std::uint64_t host_call;                     // in the window: any call of the monitor's table
  std::uint64_t signal_return;                 // in the window: rt_sigreturn
  std::uint64_t mapping_bytes;                 // from the window to the end of RAM
  std::uint32_t attic_slabs;
  Trap trap;
  Spaces spaces;
  std::uint64_t block_bytes;  // of the disk image; 0: none
  bool block_read_only;
  bool has_sockets;  // a socket device
};

}  // namespace extended
