// The judge: turns what a launch brought back into samples, or says what was wrong with it. A fast
// wrong answer is a failure.
#pragma once

#include <optional>
#include <string>

#include "results/results.h"
#include "workloads/harness/executor.h"
#include "workloads/harness/schedule.h"

namespace harness {

/// How far the guest's clock may be from the host's over the middle one of the measured parts: 1 %,
/// and what may pass between reading the one and stamping the other.
inline constexpr double clock_tolerance = 0.01;
inline constexpr double clock_slack_ns = 300'000;

/// `reference`: what standalone printed, where the workload has no fixed answer.
results::Launch judge(const Slot&, const Work&, const LaunchResult&,
                      const std::optional<std::string>& reference);

}  // namespace harness
