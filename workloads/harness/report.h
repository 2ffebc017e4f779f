// What people and scripts get to read at the end of a run. Everything here is computed from the
// results file alone, so a resumed run and a reprint say the same.
#pragma once

#include <string>
#include <vector>

#include "results/summary.h"

namespace harness {

/// A condition of the host that the numbers suffer from, and what to do about it.
struct Warning {
  enum class Kind { noisy, disturbed, small_pages, single_cpu, no_tsc, virtual_machine, from_tool };
  Kind kind;
  std::string text;    // what is the matter, and what it costs
  std::string remedy;  // empty: none known
};

std::vector<Warning> find_warnings(const results::File&, const results::Summary&);

/// The aligned table, what has no interval, the noise floor, and the protections' promises.
std::string table(const results::Summary&);

/// The parts of it that other tables have, too.
std::string interval_line(const results::Summary&);
std::string noise_line(const results::Summary&);
std::string promises(const results::Summary&);

/// The claims that the numbers bear on, judged, and what else they say.
std::string facts(const results::File&, const results::Summary&);

/// workload,config,unit,median,ratio,ratio_low,ratio_high,runs: a stable interface. Fields that are
/// not known are empty.
std::string csv(const results::Summary&);

}  // namespace harness
