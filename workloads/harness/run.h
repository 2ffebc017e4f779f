// The run itself, apart from the command line, so that tests can give it a made-up executor.
#pragma once

#include <functional>
#include <string>

#include "results/results.h"
#include "workloads/harness/executor.h"
#include "workloads/harness/schedule.h"

namespace harness {

/// What happens during a run, for whoever shows progress.
struct Watcher {
  std::function<void(const Slot&, std::size_t done, std::size_t all)> launching = [](auto&&...) {};
  std::function<void(const Slot&, const results::Launch&)> failed = [](auto&&...) {};
  std::function<void(const Slot&, const results::Launch&)> repeating = [](auto&&...) {};
};

/// A launch that others disturbed is made again, so often at most; and all repetitions of a run are
/// at most half as many as the launches it was to make.
inline constexpr unsigned most_repetitions = 2;

/// Runs what is left of the plan's schedule and appends each launch. A failed launch is recorded
/// and the run goes on. Throws Interrupted, with everything finished so far in the file.
void run_schedule(const Plan&, const std::vector<results::Launch>& done, Executor&,
                  results::Writer&, const Watcher&);

/// Opens `folder` for this plan: a new file, or the one that a run with the same options and the
/// same build left there (then `done` holds its launches). Throws monitor::UsageError otherwise.
results::Writer open_results(const std::string& folder, const results::Header&,
                             std::vector<results::Launch>& done);

}  // namespace harness
