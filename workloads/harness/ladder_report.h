// The ladder as text: what each step and each axis brings, by workload.
#pragma once

#include <string>

#include "results/summary.h"

namespace harness {

/// One row a step: its ratio to standalone, and the ratio of the time with what it brings to the
/// time without.
std::string ladder_table(const results::Summary&);

/// Of each axis, on which workloads it pays and by how much, and where it costs.
std::string ladder_verdicts(const results::Summary&);

}  // namespace harness
