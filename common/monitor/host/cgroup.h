// What the control groups of this process allow it, of either version, at every level above it: a
// container's memory limit does not refuse memory, it kills. For host_check and guest memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace monitor {

/// The level that leaves least.
struct CgroupMemory {
  std::string file;         // that holds the limit: for the remedy
  std::uint64_t limit = 0;  // bytes
  std::uint64_t left = 0;   // of it; what the host can drop from its page cache counts as left
};

/// Nothing when no level has a limit. `root` stands before /proc and /sys (tests have their own).
std::optional<CgroupMemory> cgroup_memory(const std::string& root = "");

/// The share of CPU time, 1.0 for one CPU; infinity when there is no limit.
double cgroup_cpus(const std::string& root = "");

}  // namespace monitor
