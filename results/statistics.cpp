// Medians and the bootstrap. std::mt19937_64 gives the same numbers with every library; the
// distributions of <random> do not, so draws are made by hand.
#include "results/statistics.h"

#include <algorithm>
#include <boost/math/statistics/univariate_statistics.hpp>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

namespace results {
namespace {

std::vector<double> copy_of(std::span<const double> values) {
  if (values.empty()) throw std::invalid_argument("statistics of no values");
  return {values.begin(), values.end()};
}

/// Median of as many values drawn from `values` with replacement; `scratch` saves allocations.
double resampled_median(std::span<const double> values, std::vector<double>& scratch,
                        std::mt19937_64& random) {
  scratch.resize(values.size());
  for (double& drawn : scratch) drawn = values[random() % values.size()];
  return boost::math::statistics::median(scratch);
}

/// Linear between the two nearest ranks.
double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

double median(std::span<const double> values) {
  auto scratch = copy_of(values);
  return boost::math::statistics::median(scratch);
}

Estimate estimate(const std::vector<std::span<const double>>& sets, const OfMedians& of,
                  std::uint64_t seed) {
  std::vector<double> medians;
  for (const auto& set : sets) medians.push_back(median(set));
  const double value = of(medians);
  const bool enough = std::all_of(sets.begin(), sets.end(),
                                  [](const auto& set) { return set.size() >= fewest_launches; });
  if (!enough) return {.value = value};
  std::mt19937_64 random(seed);
  std::vector<double> drawn(bootstrap_resamples), scratch;
  for (double& one : drawn) {
    std::transform(sets.begin(), sets.end(), medians.begin(),
                   [&](const auto& set) { return resampled_median(set, scratch, random); });
    one = of(medians);
  }
  std::sort(drawn.begin(), drawn.end());
  return {value, true, quantile(drawn, 0.025), quantile(drawn, 0.975)};
}

Ratio ratio_of_medians(std::span<const double> values, std::span<const double> base,
                       std::uint64_t seed) {
  return estimate(
      {values, base}, [](auto medians) { return medians[0] / medians[1]; }, seed);
}

double relative_spread(std::span<const double> values) {
  auto sorted = copy_of(values);
  std::sort(sorted.begin(), sorted.end());
  return (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 2 / median(values);
}

Verdict lies_within(const Estimate& estimate, double low, double high) {
  if (!estimate.has_interval) return Verdict::undecided;
  if (estimate.low >= low && estimate.high <= high) return Verdict::holds;
  return estimate.high < low || estimate.low > high ? Verdict::fails : Verdict::undecided;
}

Verdict is_at_least(const Estimate& estimate, double bound) {
  return lies_within(estimate, bound, std::numeric_limits<double>::infinity());
}

Verdict is_at_most(const Estimate& estimate, double bound) {
  return lies_within(estimate, -std::numeric_limits<double>::infinity(), bound);
}

}  // namespace results
