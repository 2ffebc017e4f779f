// Medians and the bootstrap. std::mt19937_64 gives the same numbers with every library; the
// distributions of <random> do not, so draws are made by hand.
#include "results/statistics.h"

#include <algorithm>
#include <boost/math/statistics/univariate_statistics.hpp>
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

Ratio ratio_of_medians(std::span<const double> values, std::span<const double> base,
                       std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<double> ratios(bootstrap_resamples), scratch;
  for (double& ratio : ratios) {
    const double above = resampled_median(values, scratch, random);
    ratio = above / resampled_median(base, scratch, random);
  }
  std::sort(ratios.begin(), ratios.end());
  return {median(values) / median(base), quantile(ratios, 0.025), quantile(ratios, 0.975)};
}

double relative_spread(std::span<const double> values) {
  auto sorted = copy_of(values);
  std::sort(sorted.begin(), sorted.end());
  return (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 2 / median(values);
}

}  // namespace results
