// What the observer (tests) lets pass: which host calls a guest-machine process may make, with
// which arguments. The filter says the same in another way (trap/host_calls.h); neither is made
// from the other, so that a mistake in one shows. The addresses of the calls' sites and the sizes
// are common to both.
//
// Judged is what stands in registers, and whether guest kernel code ran. Not judged, as it lies in
// memory or is the guest kernel's to say: the vectors of pwritev, the stack that sigaltstack sets,
// poll's descriptors, sendfile's positions, and which page frames and which part of user memory are
// whose: guest code in an open window that maps another process's frame with the flags of map() is
// not told from map().
#pragma once

#include "extended-vmm/trap/host_call_sites.h"
#include "monitor/machine/machine_config.h"

namespace extended {

/// `call`'s count and `allowed` are not looked at.
bool is_allowed(const HostCallSites&, const monitor::ObservedCall& call);

}  // namespace extended
