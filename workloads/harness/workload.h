// The workloads: what each measures, how it is started, and how its answer is known to be right.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "monitor/config.h"
#include "workloads/harness/harness.h"

namespace harness {

/// Measured parts in one launch of a micro program, each `Work::count` operations long.
inline constexpr std::uint64_t pairs_per_launch = 5;

/// What one launch is asked to do.
struct Work {
  std::vector<std::string> argv;
  std::vector<std::pair<std::string, std::string>> add;  // host path, guest path
  std::uint64_t count = 1;                               // operations between start and stop
  std::uint64_t pairs = 1;                               // starts and stops
  /// What stdout must hold; none: what standalone prints.
  std::optional<std::string> expected;
};

struct Workload {
  WorkloadInfo info;
  double unit_ns;  // nanoseconds in one `info.unit`
  Work (*work)(const monitor::Config&, Effort);
  std::uint64_t min_memory = 0;  // bytes of guest RAM it needs
  bool from_image = false;       // its root is the workloads' disk image, not files in memory
};

/// Of a micro program to which another process answers 3 n + 1, in a byte.
Work echoing(const std::string& name, std::uint64_t count);

const std::vector<Workload>& workloads();
/// Throws monitor::UsageError naming the workloads there are.
const Workload& find_workload(const std::string& name);

}  // namespace harness
