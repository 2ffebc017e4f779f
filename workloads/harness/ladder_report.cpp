// Table and verdicts of `typetwo run ladder`.
#include "workloads/harness/ladder_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "results/ladder.h"
#include "workloads/harness/named_plan.h"
#include "workloads/harness/report.h"
#include "workloads/harness/text_table.h"

namespace harness {
namespace {

using results::Cell;
using results::Gain;
using results::Rung;
using results::Summary;

Row row_of(const Summary& summary, const Rung& rung, const Cell& cell) {
  const auto gain = results::gain(summary, cell.workload, rung);
  std::string verdict;
  if (gain && gain->pays()) verdict = "pays";
  if (gain && gain->costs()) verdict = "costs";
  if (gain && gain->verdict() == results::Verdict::undecided) verdict = "undecided";
  if (cell.unprotected) verdict = "unprotected, upper bound";
  if (cell.failed > 0) verdict += fmt::format(" {} FAILED", cell.failed);
  return {"",
          rung.label,
          cell.config,
          cell.runs() > 0 ? number(cell.median) : "-",
          cell.ratio ? ratio_text(*cell.ratio) : "-",
          gain ? ratio_text(gain->ratio) : "",
          verdict};
}

struct Found {
  std::string workload;
  Gain gain;
};

/// "a x0.50, b x0.66", the largest effect first.
std::string listed(std::vector<Found> found) {
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
    return std::max(a.gain.ratio.value, 1 / a.gain.ratio.value) >
           std::max(b.gain.ratio.value, 1 / b.gain.ratio.value);
  });
  std::string text;
  for (const auto& [workload, gain] : found) {
    text += fmt::format("{}{} x{:.3g}", text.empty() ? "" : ", ", workload, gain.ratio.value);
  }
  return text.empty() ? "nothing" : text;
}

/// What a rung's axis does; "" where it was not measured.
std::string effect_of(const Summary& summary, const Rung& rung) {
  std::vector<Found> paying, costing;
  bool measured = false;
  for (const auto& workload : summary.workloads()) {
    const auto gain = results::gain(summary, workload, rung);
    if (!gain) continue;
    measured = true;
    if (gain->pays()) paying.push_back({workload, *gain});
    if (gain->costs()) costing.push_back({workload, *gain});
  }
  if (!measured) return "";
  return fmt::format("  {} {}, {}:\n    pays on {}\n    costs on {}\n", rung.axis, rung.move,
                     rung.kind == Rung::Kind::step ? "as a step" : "into the full set",
                     listed(paying), listed(costing));
}

/// "trap, spaces": those of which `which` is true.
template <class Which>
std::string axes_that(const std::vector<results::AxisJudgement>& axes, Which which) {
  std::string text;
  for (const auto& axis : axes) {
    if (which(axis)) text += fmt::format("{}{}", text.empty() ? "" : ", ", axis.axis);
  }
  return text;
}

constexpr const char* pays_text = "every axis pays on at least one operation";

/// The workloads on which the plan's axes are to pay.
std::vector<std::string> workloads_of_the_plan() {
  std::vector<std::string> names;
  for (const Workload* workload : find_named_plan("ladder")->workloads(Effort::quick)) {
    names.push_back(workload->info.name);
  }
  return names;
}

}  // namespace

std::string ladder_table(const Summary& summary) {
  std::vector<Row> rows = {{"workload", "step", "configuration", "median", "to standalone [95 %]",
                            "with/without [95 %]", ""}};
  for (const auto& workload : summary.workloads()) {
    const Cell* host = summary.find(workload, results::standalone);
    if (host == nullptr) continue;
    rows.push_back({fmt::format("{} ({})", workload, host->unit), "", host->config,
                    host->runs() > 0 ? number(host->median) : "-", "1", "",
                    host->failed > 0 ? fmt::format("{} FAILED", host->failed) : ""});
    for (const Rung& rung : results::ladder()) {
      const Cell* cell = summary.find(workload, rung.config);
      if (cell != nullptr) rows.push_back(row_of(summary, rung, *cell));
    }
  }
  return aligned(rows, "lllrrrl") +
         "\nwith/without: the time with what the row's step or axis brings over the time without "
         "it, all else equal.\nSteps: over the row above (trap=sigsys, as sysemu, over baseline). "
         "An axis put back: the full set over that row.\nprotect=none: over the full set.\n\n" +
         interval_line(summary) + noise_line(summary) + promises(summary);
}

std::string ladder_verdicts(const Summary& summary) {
  std::string text;
  const auto axes = results::judge_axes(summary);
  for (const auto& axis : axes) {
    for (const Rung& rung : results::ladder()) {
      const bool extension = rung.kind == Rung::Kind::step || rung.kind == Rung::Kind::put_back;
      if (extension && rung.axis == std::string_view(axis.axis)) text += effect_of(summary, rung);
    }
  }
  if (text.empty()) return "";
  text =
      "Axes (with/without; a value pays where the 95 % interval lies below 1, and the ratio "
      "further from 1\nthan the noise floor; it costs where it lies above):\n" +
      text;
  const auto missing = axes_that(axes, [](const auto& axis) { return !axis.measured; });
  if (!missing.empty()) return text + fmt::format("  not measured: {}\n", missing);
  const auto every = results::every_axis_pays(summary, workloads_of_the_plan());
  if (!every) return text;
  if (*every == results::Verdict::holds) return text + "  \"" + pays_text + "\" holds\n";
  const auto which = axes_that(axes, [&](const auto& axis) { return axis.pays == *every; });
  return text + fmt::format("  \"{}\" {}: {}{}\n", pays_text, verdict_text(*every),
                            *every == results::Verdict::fails ? "not " : "", which);
}

}  // namespace harness
