// The sweep of `typetwo run switch-cost`: how much memory each of two processes has touched, and in
// how many mapped runs. Programs, table and figure go by this list.
#pragma once

#include <array>
#include <string>

namespace results {

/// Memory whose protection changes this often cannot be mapped in fewer runs.
inline constexpr unsigned switch_stripe_kib = 64;

struct SwitchPoint {
  unsigned mib;  // touched in each process
  [[nodiscard]] constexpr unsigned runs() const { return mib * 1024 / switch_stripe_kib; }
  /// The workload's name.
  [[nodiscard]] std::string name() const { return "switch-" + std::to_string(mib) + "m"; }
};

inline constexpr std::array<SwitchPoint, 6> switch_sweep = {{{0}, {32}, {64}, {128}, {192}, {256}}};

}  // namespace results
