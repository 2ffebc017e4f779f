// What people and scripts get to read at the end of a run. Everything here is computed from the
// results file alone, so a resumed run and a reprint say the same.
#pragma once

#include <string>
#include <vector>

#include "results/summary.h"

namespace harness {

/// A condition of the host that the numbers suffer from, and what to do about it.
struct Warning {
  enum class Kind { noisy, small_pages, single_cpu, no_tsc, from_tool };
  Kind kind;
  std::string text;    // what is the matter, and what it costs
  std::string remedy;  // empty: none known
};

std::vector<Warning> find_warnings(const results::File&, const results::Summary&);

/// The aligned table, the noise floor, and the protections' promises.
std::string table(const results::Summary&);

/// The last two of these, for other tables.
std::string noise_line(const results::Summary&);
std::string promises(const results::Summary&);

/// The claims that the numbers bear on, as facts: what was measured, and whether it holds.
std::string facts(const results::File&, const results::Summary&);

/// workload,config,unit,median,ratio,ratio_low,ratio_high,runs: a stable interface.
std::string csv(const results::Summary&);

}  // namespace harness
