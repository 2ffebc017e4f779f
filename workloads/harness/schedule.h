// The order of launches. Configurations of a workload are interleaved (A B C A B C …), so that a
// host that slows down or speeds up during the run does it to all of them; so are the workloads of
// a plan that compares these.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "results/results.h"
#include "workloads/harness/workload.h"

namespace harness {

struct Slot {
  const Workload* workload;
  monitor::Config config;
  bool again = false;  // the A/A repetition of standalone
  unsigned round = 0;  // 0 is the warm-up
  [[nodiscard]] bool warmup() const { return round == 0; }
  /// As results name it.
  [[nodiscard]] std::string config_name() const {
    return again ? results::standalone_again : config.name();
  }
};

/// Options with every default filled in: what a run really does, and what a resume compares.
struct Plan {
  std::string name;                 // of the named plan (named_plan.h), if it is one
  bool compares_workloads = false;  // with each other: they are interleaved too
  std::vector<const Workload*> workloads;
  std::vector<monitor::Config> configs;  // empty: each workload's own
  Effort effort = Effort::quick;
  unsigned runs = 5;
  std::uint64_t memory_bytes = 0;
  monitor::Fill fill = monitor::Fill::before;
  double timeout_seconds = 0;
  bool account = false;
  // What run_command makes for those that need it.
  std::map<Words, std::string> images;  // by their packages
  std::map<const Workload*, std::string> prepared;

  /// The root of a workload: an image, read-only; "": the standard files in memory.
  [[nodiscard]] std::string image_of(const Workload&) const;
  [[nodiscard]] nlohmann::json to_json() const;
};

/// Throws monitor::UsageError: unknown workload, no runs, a standalone-only workload elsewhere.
Plan make_plan(const RunOptions&);

/// All launches, in order. Standalone comes first in each round: it is the yardstick of speed and,
/// for some workloads, of output.
std::vector<Slot> make_schedule(const Plan&);

/// What is left of a schedule after some launches. Warm-ups come again for workloads that are not
/// finished: the host has forgotten them.
std::vector<Slot> remaining(const std::vector<Slot>&, const std::vector<results::Launch>& done);

}  // namespace harness
