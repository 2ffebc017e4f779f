// Statistics over launches: medians, and how far a ratio of medians can be trusted.
#pragma once

#include <cstdint>
#include <span>

namespace results {

/// Of at least one value; the mean of the middle two when their number is even.
double median(std::span<const double> values);

/// A ratio with its 95 % interval.
struct Ratio {
  double value = 1, low = 1, high = 1;
};

inline constexpr unsigned bootstrap_resamples = 10'000;

/// median(values) / median(base). The interval is a percentile bootstrap over launches: both sides
/// are drawn again with replacement, 10 000 times. Same input, same seed: same result.
Ratio ratio_of_medians(std::span<const double> values, std::span<const double> base,
                       std::uint64_t seed = 2003);

/// Half the interquartile range over the median: how much launches of the same thing differ.
double relative_spread(std::span<const double> values);

}  // namespace results
