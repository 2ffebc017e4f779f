// What the observer (tests) lets pass: which host calls a guest-machine process may make, with
// which arguments. The VMM process's own rules say the same in another way (protocol.h); neither is
// made from the other, so that a mistake in one shows. The addresses of the calls' sites are
// common.
//
// Which page frames and which part of user memory are whose is the guest kernel's to say: guest
// code that maps another process's frame as map() does it is not told from map().
#pragma once

#include "baseline-vmm/protocol.h"

namespace baseline {

/// `in_kernel`: guest user code does not run.
bool is_allowed(const Rules& sites, const HostCall& call, bool in_kernel);

}  // namespace baseline
