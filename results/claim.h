// Claims: statements that measurements bear out or refute. They are data, a file each in
// results/claims, and the registry is that folder; judged here, by intervals, and rendered by
// whoever shows them (workloads/harness/claims_report.h), who judges nothing.
//
// A file holds
//   id      what it is called, and the file's name
//   text    the statement, a sentence
//   source  who says so
//   needs   {NAME: {workload, config[, counter]}}: measurements. `config` "each guest" makes it a
//           statement about every guest configuration that was measured, each judged by itself.
//           Without `counter` it is the sample of a launch, in the workload's unit.
//   value   a formula over those names: what is judged
//   holds   {at_least: X}, {at_most: X} or {equals: X, tolerance: Y}
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "results/formula.h"
#include "results/statistics.h"
#include "results/summary.h"

namespace results {

struct Need {
  std::string name, workload, config;
  std::string counter;  // "": time
};
/// In place of a configuration.
inline constexpr const char* each_guest = "each guest";

struct Claim {
  std::string id, text, source;
  std::vector<Need> needs;
  std::string value_text;
  Formula value;
  double low, high;        // where the value has to lie
  std::string bound_text;  // "at least 10"
};

/// Of one claim, or of one configuration where it is about each.
struct Judgement {
  const Claim* claim;
  std::string config;           // "" where the claim itself says which
  std::vector<double> medians;  // of what it needs, in that order
  Estimate value;
  Verdict verdict;
};

/// Throws monitor::HostError naming the file: no claim, or one about what there is not.
Claim read_claim(const std::string& path);
/// Those of a folder, by id. Of this tree's: results/claims.
std::vector<Claim> read_claims(const std::string& folder);
const std::vector<Claim>& claims();

/// Of each claim that the results bear on: all that it needs was measured. Only launches count that
/// the table counts, too.
std::vector<Judgement> judge(const std::vector<Claim>&, const File&, const Summary&);

}  // namespace results
