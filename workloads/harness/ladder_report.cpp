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

/// In the order in which they were run.
std::vector<std::string> workloads_of(const Summary& summary) {
  std::vector<std::string> names;
  for (const Cell& cell : summary.cells) {
    if (std::find(names.begin(), names.end(), cell.workload) == names.end()) {
      names.push_back(cell.workload);
    }
  }
  return names;
}

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

/// Of one axis, over all its comparisons.
struct AxisVerdict {
  std::string text;
  bool compared = false, pays = false, undecided = false;
};

void add_verdict(const Summary& summary, const Rung& rung, AxisVerdict& axis) {
  std::vector<Found> paying, costing;
  std::size_t compared = 0;
  for (const auto& workload : workloads_of(summary)) {
    const auto gain = results::gain(summary, workload, rung);
    if (!gain) continue;
    ++compared;
    if (gain->pays()) paying.push_back({workload, *gain});
    if (gain->costs()) costing.push_back({workload, *gain});
    if (gain->verdict() == results::Verdict::undecided) axis.undecided = true;
  }
  if (compared == 0) return;
  axis.compared = true;
  axis.pays = axis.pays || !paying.empty();
  axis.text += fmt::format("  {} {}, {}:\n    pays on {}\n    costs on {}\n", rung.axis, rung.move,
                           rung.kind == Rung::Kind::step ? "as a step" : "into the full set",
                           listed(paying), listed(costing));
}

/// Only then is an axis that pays nowhere one that does not pay.
bool has_all_workloads_of_the_plan(const Summary& summary) {
  const auto own = find_named_plan("ladder")->workloads(Effort::quick);
  return std::all_of(own.begin(), own.end(), [&](const Workload* workload) {
    const Cell* cell = summary.find(std::string(workload->info.name), "extended");
    return cell != nullptr && cell->runs() > 0;
  });
}

void append(std::string& list, const char* word) {
  list += fmt::format("{}{}", list.empty() ? "" : ", ", word);
}

}  // namespace

std::string ladder_table(const Summary& summary) {
  std::vector<Row> rows = {{"workload", "step", "configuration", "median", "to standalone [95 %]",
                            "with/without [95 %]", ""}};
  for (const auto& workload : workloads_of(summary)) {
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
  std::string text, idle, open, unmeasured;
  for (const char* axis : {"trap", "protect", "spaces"}) {
    AxisVerdict verdict;
    for (const Rung& rung : results::ladder()) {
      const bool extension = rung.kind == Rung::Kind::step || rung.kind == Rung::Kind::put_back;
      if (extension && rung.axis == std::string_view(axis)) {
        add_verdict(summary, rung, verdict);
      }
    }
    text += verdict.text;
    if (!verdict.compared) append(unmeasured, axis);
    if (verdict.compared && !verdict.pays) append(verdict.undecided ? open : idle, axis);
  }
  if (text.empty()) return "";
  text =
      "Axes (with/without; a value pays where the 95 % interval lies below 1, and the ratio "
      "further from 1\nthan the noise floor; it costs where it lies above):\n" +
      text;
  if (!unmeasured.empty()) return text + fmt::format("  not measured: {}\n", unmeasured);
  if (!has_all_workloads_of_the_plan(summary)) return text;
  text += "  \"every axis pays on at least one operation\" ";
  if (!idle.empty()) return text + fmt::format("DOES NOT HOLD: not {}\n", idle);
  return text + (open.empty() ? "holds\n" : fmt::format("is undecided: {}\n", open));
}

}  // namespace harness
