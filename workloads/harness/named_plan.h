// Plans that have a name: `typetwo run ladder` takes a fixed set of configurations to the workloads
// that show them. A name stands where a workload's would.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "workloads/harness/workload.h"

namespace harness {

struct NamedPlan {
  std::string_view name, about;
  std::vector<std::string> configs;
  std::vector<const Workload*> (*workloads)(Effort);
  bool takes_workloads;     // "ladder compute": those instead of its own
  bool compares_workloads;  // with each other
};

const std::vector<NamedPlan>& named_plans();

/// Null: there is none of that name.
const NamedPlan* find_named_plan(std::string_view name);

}  // namespace harness
