// The seccomp filter of a guest-machine process: which host calls are the monitor's. Everything
// else becomes SIGSYS, and so a guest system call.
#pragma once

#include <linux/filter.h>

#include <vector>

#include "extended-vmm/trap/host_call_sites.h"

namespace extended {

/// The BPF program. (What the observer allows is written down independently: allowed_calls.h.)
std::vector<sock_filter> make_filter(const HostCallSites&);

/// Installs it in the calling process, for good. Throws HostError.
void install_filter(const std::vector<sock_filter>&);

}  // namespace extended
