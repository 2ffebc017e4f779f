// What a run will need, looked at before its first launch: nothing is measured for hours and then
// thrown away. Everything that is missing is one line that names the remedy.
#pragma once

#include <string>

#include "workloads/harness/schedule.h"

namespace harness {

inline constexpr const char* figure_name = "figure";

/// The tool that launches are made with.
std::string program_of(const RunOptions&);

/// Host and limits for each configuration, the workloads' programs, gnuplot, the results folder,
/// which it makes, and all that is written into it and beside it. Throws HostError.
void check_run(const Plan&, const RunOptions&, const std::string& folder);

/// Once the plan has its image: the programs that run from it. Throws HostError.
void check_image(const Plan&);

}  // namespace harness
