// The ladder: the paper's extensions added one at a time, then each taken out of the full set
// alone. One list says which configurations that takes and what is compared with what; schedule,
// table, verdicts and figure all read it.
#pragma once

#include <span>

#include "results/summary.h"

namespace results {

struct Rung {
  enum class Kind {
    start,     // where the ladder stands
    beside,    // the start at its best: no step of the ladder
    step,      // this configuration over the one before
    put_back,  // the full set over this configuration, which lacks one axis's value
    bound,     // the full set without protection: what that costs
  };
  const char* config;
  const char* label;
  Kind kind;
  const char* axis;            // that `with` and `without` differ on; "": none
  const char* move;            // from which value to which
  const char *with, *without;  // configurations
};

std::span<const Rung> ladder();

/// What a rung's axis does to a workload: time with its value over time without, all else equal.
struct Gain {
  Ratio ratio;
  double noise = 0;  // how far standalone's repetition was from standalone
  /// The whole interval on one side of 1, and the ratio further from it than the noise.
  [[nodiscard]] bool pays() const {
    return ratio.has_interval && ratio.high < 1 && 1 - ratio.value > noise;
  }
  [[nodiscard]] bool costs() const {
    return ratio.has_interval && ratio.low > 1 && ratio.value - 1 > noise;
  }
  /// "It pays." That fails, too, where the most that the interval leaves open would be noise, or
  /// one part in a hundred.
  [[nodiscard]] Verdict verdict() const {
    if (pays()) return Verdict::holds;
    const double negligible = noise > 0.01 ? noise : 0.01;
    return ratio.has_interval && ratio.low >= 1 - negligible ? Verdict::fails : Verdict::undecided;
  }
};

/// Nothing for the start, and where one of the two has no correct launch.
std::optional<Gain> gain(const Summary&, const std::string& workload, const Rung&);

/// One axis's values, over all comparisons that move it.
struct AxisJudgement {
  const char* axis;
  bool measured = false;
  /// "It pays on at least one operation": fails where it pays on none of those measured.
  Verdict pays = Verdict::undecided;
};
std::vector<AxisJudgement> judge_axes(const Summary&);

/// "Every axis pays on at least one operation." Nothing where an axis was not measured, or one of
/// the workloads on which they are to pay.
std::optional<Verdict> every_axis_pays(const Summary&, const std::vector<std::string>& workloads);

}  // namespace results
