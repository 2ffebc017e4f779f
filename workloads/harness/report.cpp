// Table, CSV, claims and facts.
#include "workloads/harness/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "workloads/harness/claims_report.h"
#include "workloads/harness/switch_report.h"
#include "workloads/harness/text_table.h"

namespace harness {
namespace {

using results::Cell;
using results::Summary;

std::string ratio_of(const Cell& cell) {
  if (!cell.ratio) return "-";
  if (cell.config == results::standalone) return "1";
  return ratio_text(*cell.ratio);
}

std::string remark(const Cell& cell) {
  std::string text = cell.unprotected ? "unprotected, upper bound" : "";
  if (cell.disturbed == 0) return text;
  if (!text.empty()) text += "; ";
  return text + (cell.only_disturbed ? "all disturbed"
                                     : fmt::format("{} disturbed, not counted", cell.disturbed));
}

std::string check_text(const Cell& cell) {
  return cell.failed == 0 ? "ok" : fmt::format("{} FAILED", cell.failed);
}

Row row_of(const Cell& cell, bool first_of_workload) {
  const bool measured = cell.runs() > 0;
  return {first_of_workload ? fmt::format("{} ({})", cell.workload, cell.unit) : "",
          cell.config,
          measured ? number(cell.median) : "-",
          ratio_of(cell),
          measured ? fmt::format("{:.2f}", cell.cpu_seconds) : "-",
          measured ? fmt::format("{:.2f}", cell.wall_seconds) : "-",
          std::to_string(cell.runs()),
          check_text(cell),
          remark(cell)};
}

/// The last counted launch of a cell that has a counter.
const results::Launch* with_counter(const results::File& file, const std::string& config,
                                    const std::string& counter) {
  for (auto launch = file.launches.rbegin(); launch != file.launches.rend(); ++launch) {
    if (launch->workload == "null-syscall" && launch->config == config && launch->ok() &&
        launch->outcome.counters.count(counter) != 0) {
      return &*launch;
    }
  }
  return nullptr;
}

std::string stops_fact(const results::File& file, const std::string& config) {
  const auto* launch = with_counter(file, config, "null_protocol_stops");
  if (launch == nullptr) return "";
  const auto& counters = launch->outcome.counters;
  const auto value = [&](const char* name) {
    const auto found = counters.find(name);
    return found == counters.end() ? 0 : found->second;
  };
  return fmt::format(
      "  {}: {} ptrace stops a null system call ({} calls, {} with another number)\n", config,
      value("null_protocol_stops"), value("null_protocol_syscalls"),
      value("null_protocol_deviations"));
}

std::string boot_fact(const results::File& file) {
  std::map<std::string, std::vector<double>> boots;
  for (const auto& launch : file.launches) {
    if (results::config_of(launch).is_guest() && launch.ok() && !launch.warmup) {
      boots[launch.config].push_back(launch.outcome.boot_seconds);
    }
  }
  std::string text;
  for (const auto& [config, seconds] : boots) {
    text += fmt::format(", {} {:.0f} ms", config, results::median(seconds) * 1000);
  }
  return text.empty() ? "" : "  boot to the first instruction: " + text.substr(2) + "\n";
}

std::string unknown_syscalls_fact(const results::File& file) {
  std::map<std::string, std::uint64_t> most;  // in one launch
  for (const auto& launch : file.launches) {
    for (const auto& [name, times] : launch.outcome.unknown_syscalls) {
      most[name] = std::max(most[name], times);
    }
  }
  std::string text;
  for (const auto& [name, times] : most) text += fmt::format(", {} ({})", name, times);
  return text.empty()
             ? ""
             : "  unknown system calls, answered ENOSYS (most in one launch): " + text.substr(2) +
                   "\n";
}

std::string quoted(const std::string& field) {
  if (field.find_first_of(",\"\n") == std::string::npos) return field;
  std::string text = "\"";
  for (const char c : field) text += c == '"' ? "\"\"" : std::string(1, c);
  return text + "\"";
}

}  // namespace

std::string interval_line(const Summary& summary) {
  const bool lacking =
      std::any_of(summary.cells.begin(), summary.cells.end(), [](const Cell& cell) {
        return cell.config != results::standalone && cell.ratio && !cell.ratio->has_interval;
      });
  if (!lacking) return "";
  return fmt::format(
      "Ratios without an interval: of fewer than {} undisturbed launches; they decide nothing.\n",
      results::fewest_launches);
}

std::string noise_line(const Summary& summary) {
  std::string text;
  for (const Cell& cell : summary.noise) {
    if (cell.ratio) text += fmt::format(", {} {}", cell.workload, ratio_of(cell));
  }
  if (text.empty()) return "";
  return "Noise floor (standalone against itself): " + text.substr(2) + "\n";
}

std::string promises(const Summary& summary) {
  std::string text;
  std::map<std::string, bool> seen;
  for (const Cell& cell : summary.cells) {
    if (cell.axes.empty() || !seen.try_emplace(cell.config, true).second) continue;
    text += fmt::format("  {} ({}): {}\n", cell.config, cell.axes, cell.promise);
  }
  return text.empty() ? "" : "What each protection promises:\n" + text;
}

std::string table(const Summary& summary) {
  std::vector<Row> rows = {{"workload", "configuration", "median", "ratio [95 %]", "cpu s",
                            "wall s", "runs", "check", ""}};
  std::string last;
  for (const Cell& cell : summary.cells) {
    rows.push_back(row_of(cell, cell.workload != last));
    last = cell.workload;
  }
  return aligned(rows, "llrrrrrll") + "\n" + interval_line(summary) + noise_line(summary) +
         promises(summary);
}

std::string facts(const results::File& file, const Summary& summary) {
  std::string text = stops_fact(file, "baseline") + stops_fact(file, "baseline:trap=sysemu") +
                     switch_facts(summary) + boot_fact(file) + unknown_syscalls_fact(file);
  const std::string claims = render(results::judge(results::claims(), file, summary), Format::text);
  return claims + (text.empty() ? "" : "Facts:\n" + text);
}

std::string csv(const Summary& summary) {
  std::string text = "workload,config,unit,median,ratio,ratio_low,ratio_high,runs\n";
  for (const Cell& cell : summary.cells) {
    if (cell.runs() == 0) continue;
    text += fmt::format("{},{},{},{:.6g},", quoted(cell.workload), quoted(cell.config), cell.unit,
                        cell.median);
    if (!cell.ratio) {
      text += ",,,";
    } else if (cell.ratio->has_interval || cell.config == results::standalone) {
      text += fmt::format("{:.6g},{:.6g},{:.6g},", cell.ratio->value, cell.ratio->low,
                          cell.ratio->high);
    } else {
      text += fmt::format("{:.6g},,,", cell.ratio->value);
    }
    text += fmt::format("{}\n", cell.runs());
  }
  return text;
}

}  // namespace harness
