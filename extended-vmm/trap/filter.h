// The seccomp filter of a guest-machine process: which host calls are the monitor's. Everything
// else becomes SIGSYS, and so a guest system call.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "extended-vmm/resident/image.h"

namespace extended {

/// Where the monitor's host calls are made: addresses after the syscall instruction.
struct HostCallSites {
  Protect protect;
  std::uint64_t opened, closed;                // the gate's; unused where the protection has none
  std::uint64_t direct_opened, direct_closed;  // likewise; vmi::gate_base: not in this gate
  std::uint64_t host_call;                     // in the window: any call of the monitor's list
  std::uint64_t signal_return;                 // in the window: rt_sigreturn
  std::uint64_t mapping_bytes;                 // window + RAM, for protect=mmap
};

/// The one rule, stated twice: as a BPF program for the host kernel ...
std::vector<sock_filter> make_filter(const HostCallSites&);
/// ... and as plain code, for the observer and the tests. `ip` is the address after the
/// instruction. True: the host may execute it.
bool is_allowed(const HostCallSites&, std::uint32_t arch, std::uint64_t ip, std::uint64_t number,
                const std::uint64_t (&arguments)[6]);

/// Installs it in the calling process, for good. Throws HostError.
void install_filter(const std::vector<sock_filter>&);

}  // namespace extended
