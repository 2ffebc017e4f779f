// Reading and judging.
#include "results/claim.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "machines/kinds.h"
#include "monitor/tool/error.h"

namespace results {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr double infinity = std::numeric_limits<double>::infinity();

Need need_from(const std::string& name, const json& object) {
  Need need{name, object.at("workload"), object.at("config"), object.value("counter", "")};
  if (need.config != each_guest) (void)machines::parse(need.config);
  return need;
}

std::vector<Need> needs_from(const json& object) {
  std::vector<Need> needs;
  for (const auto& [name, need] : object.items()) needs.push_back(need_from(name, need));
  if (needs.empty()) throw monitor::HostError("'needs' names no measurement");
  return needs;
}

std::vector<std::string> names_of(const std::vector<Need>& needs) {
  std::vector<std::string> names;
  for (const Need& need : needs) names.push_back(need.name);
  return names;
}

void bound_from(const json& holds, Claim& claim) {
  claim.low = -infinity;
  claim.high = infinity;
  if (holds.contains("at_least")) {
    claim.low = holds.at("at_least");
    claim.bound_text = fmt::format("at least {:g}", claim.low);
  } else if (holds.contains("at_most")) {
    claim.high = holds.at("at_most");
    claim.bound_text = fmt::format("at most {:g}", claim.high);
  } else {
    const double value = holds.at("equals"), tolerance = holds.at("tolerance");
    claim.low = value - tolerance;
    claim.high = value + tolerance;
    claim.bound_text = tolerance == 0 ? fmt::format("{:g}", value)
                                      : fmt::format("{:g} within {:g}", value, tolerance);
  }
}

Claim claim_from(const json& file) {
  const std::set<std::string> keys = {"id", "text", "source", "needs", "value", "holds"};
  for (const auto& [key, value] : file.items()) {
    if (keys.count(key) == 0) throw monitor::HostError(fmt::format("unknown key '{}'", key));
  }
  auto needs = needs_from(file.at("needs"));
  const std::string value = file.at("value");
  Formula formula(value, names_of(needs));
  for (std::size_t i = 0; i < needs.size(); ++i) {
    if (!formula.uses(i)) {
      throw monitor::HostError(fmt::format("'value' does not use '{}'", needs[i].name));
    }
  }
  Claim claim{file.at("id"),
              file.at("text"),
              file.at("source"),
              std::move(needs),
              value,
              std::move(formula),
              0,
              0,
              ""};
  bound_from(file.at("holds"), claim);
  return claim;
}

/// One value a launch of the cell that counts.
std::vector<double> counter_values(const File& file, const Cell& cell, const std::string& counter) {
  std::vector<double> values;
  for (const Launch* launch : counted_launches(file, cell)) {
    const auto found = launch->outcome.counters.find(counter);
    if (found != launch->outcome.counters.end()) {
      values.push_back(static_cast<double>(found->second));
    }
  }
  return values;
}

/// Nothing where something that it needs was not measured.
std::optional<Judgement> judge_one(const Claim& claim, const File& file, const Summary& summary,
                                   const std::string& config) {
  std::vector<std::vector<double>> sets;
  bool only_disturbed = false;
  for (const Need& need : claim.needs) {
    const bool each = need.config == each_guest;
    const Cell* cell = summary.find(need.workload, each ? config : need.config);
    if (cell == nullptr || cell->runs() == 0) return std::nullopt;
    only_disturbed = only_disturbed || cell->only_disturbed;
    sets.push_back(need.counter.empty() ? cell->launches
                                        : counter_values(file, *cell, need.counter));
    if (sets.back().empty()) return std::nullopt;
  }
  Judgement judgement{&claim, config, {}, {}, Verdict::undecided};
  for (const auto& set : sets) judgement.medians.push_back(median(set));
  judgement.value = estimate({sets.begin(), sets.end()}, claim.value);
  if (only_disturbed) judgement.value = {.value = judgement.value.value};
  judgement.verdict = lies_within(judgement.value, claim.low, claim.high);
  return judgement;
}

/// The configurations that a claim is judged for: "" for one that names its own.
std::vector<std::string> configs_for(const Claim& claim, const Summary& summary) {
  std::vector<std::string> configs;
  for (const Need& need : claim.needs) {
    if (need.config != each_guest) continue;
    for (const Cell& cell : summary.cells) {
      const bool known = std::find(configs.begin(), configs.end(), cell.config) != configs.end();
      if (cell.workload == need.workload && cell.is_guest && !known) {
        configs.push_back(cell.config);
      }
    }
    return configs;
  }
  return {""};
}

}  // namespace

Claim read_claim(const std::string& path) try {
  Claim claim = claim_from(json::parse(std::ifstream(path)));
  if (claim.id != fs::path(path).stem()) {
    throw monitor::HostError("'id' is not the file's name");
  }
  return claim;
} catch (const std::exception& error) {
  throw monitor::HostError(fmt::format("{} is no claim: {}", path, error.what()));
}

std::vector<Claim> read_claims(const std::string& folder) {
  std::vector<Claim> all;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") all.push_back(read_claim(entry.path()));
  }
  std::sort(all.begin(), all.end(), [](const Claim& a, const Claim& b) { return a.id < b.id; });
  return all;
}

const std::vector<Claim>& claims() {
  static const std::vector<Claim> all = read_claims(TYPETWO_CLAIMS);
  return all;
}

std::vector<Judgement> judge(const std::vector<Claim>& claims, const File& file,
                             const Summary& summary) {
  std::vector<Judgement> judgements;
  for (const Claim& claim : claims) {
    for (const auto& config : configs_for(claim, summary)) {
      if (auto judgement = judge_one(claim, file, summary, config)) {
        judgements.push_back(std::move(*judgement));
      }
    }
  }
  return judgements;
}

}  // namespace results
