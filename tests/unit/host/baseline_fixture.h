// Made-up host calls of a guest-machine process of the baseline, where a made-up gate is.
#pragma once

#include <linux/audit.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <algorithm>
#include <vector>

#include "baseline-vmm/stops.h"

namespace baseline {

inline constexpr std::uint64_t guest_bytes = vmi::ram_offset + (64ul << 20);
inline const Rules rules{.gate_opened = vmi::gate_base + 0x20,
                         .gate_closed = vmi::gate_base + 0x40,
                         .gate_returned = vmi::gate_base + 0x48,
                         .host_call_ip = vmi::resident_base + 0x100,
                         .vmm_call_ip = vmi::resident_base + 0x110,
                         .guest_bytes = guest_bytes};

inline HostCall call(std::uint64_t ip, std::uint64_t number, std::vector<std::uint64_t> arguments) {
  HostCall made{.ip = ip, .arch = AUDIT_ARCH_X86_64, .number = number, .arguments = {}};
  std::copy(arguments.begin(), arguments.end(), made.arguments);
  return made;
}
inline HostCall open_call() {
  return call(rules.gate_opened, SYS_mmap,
              {vmi::window_base, guest_bytes, PROT_READ | PROT_WRITE | PROT_EXEC,
               MAP_SHARED | MAP_FIXED, 3, 0});
}
inline HostCall vmm_call(VmmCall what, std::uint64_t a = 0, std::uint64_t b = 0) {
  return call(rules.vmm_call_ip, vmm_call_number, {static_cast<std::uint64_t>(what), a, b});
}

}  // namespace baseline
