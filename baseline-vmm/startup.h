// What the guest-machine process does for the baseline before it forgets the C library
// (GuestProcessPlan::last_hosted_step): its signals, and the request to be traced.
#pragma once

namespace baseline {

/// Throws HostError.
void prepare_tracee();

}  // namespace baseline
