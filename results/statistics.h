// Statistics over launches: medians, and how far what is computed of them can be trusted.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace results {

/// Of at least one value; the mean of the middle two when their number is even.
double median(std::span<const double> values);

/// With fewer launches of either side there is no interval, and so no verdict: a bootstrap of four
/// medians knows little but its own input.
inline constexpr unsigned fewest_launches = 5;

/// What was computed of medians, with its 95 % interval, where there are launches enough for one.
struct Estimate {
  double value = 1;
  bool has_interval = false;
  double low = value, high = value;  // both are the value itself where there is no interval
};
using Ratio = Estimate;

inline constexpr unsigned bootstrap_resamples = 10'000;

/// `of` the medians of several sets of launches. The interval is a percentile bootstrap over
/// launches: each set is drawn again with replacement, 10 000 times. Same input, same seed: same
/// result.
using OfMedians = std::function<double(std::span<const double> medians)>;
Estimate estimate(const std::vector<std::span<const double>>& sets, const OfMedians& of,
                  std::uint64_t seed = 2003);

/// median(values) / median(base).
Ratio ratio_of_medians(std::span<const double> values, std::span<const double> base,
                       std::uint64_t seed = 2003);

/// Half the interquartile range over the median: how much launches of the same thing differ.
double relative_spread(std::span<const double> values);

/// Of a statement about an estimate. Only the interval decides: what it leaves open, or where there
/// is none, is undecided.
enum class Verdict { holds, fails, undecided };

/// "It lies in [low, high]."
Verdict lies_within(const Estimate&, double low, double high);
Verdict is_at_least(const Estimate&, double bound);
Verdict is_at_most(const Estimate&, double bound);

}  // namespace results
