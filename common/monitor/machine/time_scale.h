// How the guest tells the time: host TSC to nanoseconds, measured once for each launcher process.
#pragma once

#include "vmi/shared_info.h"

namespace monitor {

/// Takes the first of the two clock samples a measurement needs. Called when guest memory is made,
/// so that the time its prefault takes serves as the interval.
void begin_time_calibration();

/// The scale, with a fresh base. Waits at most 20 ms, and only if too little time has passed since
/// begin_time_calibration().
vmi::TimeScale measure_time_scale();

/// Of the TSC; 0 for a scale that cannot be: it lies in guest memory while the guest runs.
double cycles_per_second(const vmi::TimeScale& scale);

/// What the guest kernel computes from a scale; for tests.
std::uint64_t scaled_monotonic_ns(const vmi::TimeScale& scale, std::uint64_t tsc);

}  // namespace monitor
