// Summary: one cell for each workload and configuration, computed from a results file's raw
// samples. Table, CSV and figures all show these numbers, so they cannot disagree.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "results/results.h"
#include "results/statistics.h"

namespace results {

struct Cell {
  std::string workload, config, axes, promise, unit;
  bool is_guest = false;
  bool unprotected = false;      // an upper bound, never a verdict
  std::vector<double> launches;  // one value a counted, correct launch: the median of its samples
  unsigned failed = 0;           // launches, warm-ups included, that did their work wrong
  unsigned disturbed = 0;        // correct launches that others disturbed; they are not counted,
  bool only_disturbed = false;  // unless there is no other: then there is a number, and no interval
  double median = 0;            // of launches; 0 when there are none
  std::optional<Ratio> ratio;   // to standalone; none without correct launches of both
  double cpu_seconds = 0;       // medians over the same launches, whole program
  double wall_seconds = 0;

  [[nodiscard]] unsigned runs() const { return static_cast<unsigned>(launches.size()); }
};

/// Of the medians of two cells with launches: how many times as slow, be it times or rates.
Ratio ratio_of(const Cell&, const Cell& base);

struct Summary {
  std::vector<Cell> cells;  // in the order of first launch; without the A/A repetition
  std::vector<Cell> noise;  // the A/A repetition: its ratios ought to be 1

  [[nodiscard]] const Cell* find(const std::string& workload, const std::string& config) const;
  /// In the order in which they were run.
  [[nodiscard]] std::vector<std::string> workloads() const;
  /// Does standalone differ from itself, between launches or from its repetition, by so much that
  /// small differences of others mean nothing?
  [[nodiscard]] bool is_noisy(const std::string& workload) const;
};

Summary summarize(const File&);

/// Those that a cell counts.
std::vector<const Launch*> counted_launches(const File&, const Cell&);

}  // namespace results
