// The resident part's first act: unmap all of the host that came along with the copy of the
// launcher. Afterwards the guest-machine process holds the machine and nothing else: no host
// stack, no vdso, no loader, in reach of guest programs.
#pragma once

#include <asm/unistd.h>

#include "monitor/resident/host_call.h"
#include "vmi/address_map.h"

namespace monitor {

/// `mapped_end`: window_end, or the end of RAM's direct map where it is permanent. Returns false
/// when the host refuses.
inline bool unmap_host(std::uint64_t mapped_end) {
  const struct {
    std::uint64_t begin, end;
  } gaps[] = {
      {0, vmi::gate_base},
      {vmi::gate_base + vmi::gate_size, vmi::alt_stack_base},
      {vmi::alt_stack_base + vmi::alt_stack_size, vmi::window_base},
      {mapped_end, vmi::host_user_end},
  };
  for (const auto& gap : gaps)
    if (host(__NR_munmap, gap.begin, gap.end - gap.begin) != 0) return false;
  return true;
}

}  // namespace monitor
