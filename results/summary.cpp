// Groups launches into cells, in the order in which they were first run.
#include "results/summary.h"

#include <algorithm>
#include <cmath>

namespace results {
namespace {

Cell& cell_for(std::vector<Cell>& cells, const Launch& launch) {
  for (Cell& cell : cells) {
    if (cell.workload == launch.workload && cell.config == launch.config) return cell;
  }
  Cell cell;
  cell.workload = launch.workload;
  cell.config = launch.config;
  cell.axes = launch.axes;
  cell.promise = launch.promise;
  cell.unit = launch.unit;
  const monitor::Config config = config_of(launch);
  cell.is_guest = config.is_guest();
  cell.unprotected = !config.traits().contains;
  cells.push_back(std::move(cell));
  return cells.back();
}

/// Counted by round, and right.
std::vector<const Launch*> correct_launches(const std::vector<Launch>& all, const Cell& cell) {
  std::vector<const Launch*> correct;
  for (const Launch& launch : all) {
    const bool its = launch.workload == cell.workload && launch.config == cell.config;
    if (its && !launch.warmup && launch.ok() && !launch.samples.empty()) correct.push_back(&launch);
  }
  return correct;
}

/// Values and times of the launches that count: the undisturbed ones, if there are any.
void fill(Cell& cell, const File& file) {
  const auto correct = correct_launches(file.launches, cell);
  for (const Launch* launch : correct) cell.disturbed += launch->disturbed() ? 1 : 0;
  cell.only_disturbed = !correct.empty() && cell.disturbed == correct.size();
  std::vector<double> cpu, wall;
  for (const Launch* launch : counted_launches(file, cell)) {
    cell.launches.push_back(median(launch->samples));
    cpu.push_back(launch->outcome.cpu_seconds);
    wall.push_back(launch->outcome.wall_seconds);
  }
  if (cpu.empty()) return;
  cell.median = median(cell.launches);
  cell.cpu_seconds = median(cpu);
  cell.wall_seconds = median(wall);
}

}  // namespace

const Cell* Summary::find(const std::string& workload, const std::string& config) const {
  for (const auto* list : {&cells, &noise}) {
    for (const Cell& cell : *list) {
      if (cell.workload == workload && cell.config == config) return &cell;
    }
  }
  return nullptr;
}

Ratio ratio_of(const Cell& cell, const Cell& base) {
  const Ratio ratio = more_is_better(cell.unit) ? ratio_of_medians(base.launches, cell.launches)
                                                : ratio_of_medians(cell.launches, base.launches);
  // Nothing is to be judged by it where others had the CPU all the time.
  return cell.only_disturbed || base.only_disturbed ? Ratio{.value = ratio.value} : ratio;
}

std::vector<const Launch*> counted_launches(const File& file, const Cell& cell) {
  auto launches = correct_launches(file.launches, cell);
  if (!cell.only_disturbed) std::erase_if(launches, [](auto* one) { return one->disturbed(); });
  return launches;
}

std::vector<std::string> Summary::workloads() const {
  std::vector<std::string> names;
  for (const Cell& cell : cells) {
    if (std::find(names.begin(), names.end(), cell.workload) == names.end()) {
      names.push_back(cell.workload);
    }
  }
  return names;
}

bool Summary::is_noisy(const std::string& workload) const {
  constexpr double most_apart = 0.05, most_spread = 0.10;
  const Cell *base = find(workload, standalone), *again = find(workload, standalone_again);
  if (base == nullptr || base->launches.empty() || again == nullptr || !again->ratio) return false;
  return std::abs(again->ratio->value - 1) > most_apart ||
         relative_spread(base->launches) > most_spread;
}

Summary summarize(const File& file) {
  Summary summary;
  for (const Launch& launch : file.launches) {
    Cell& cell =
        cell_for(launch.config == standalone_again ? summary.noise : summary.cells, launch);
    if (!launch.ok()) ++cell.failed;
  }
  for (auto* list : {&summary.cells, &summary.noise})
    for (Cell& cell : *list) fill(cell, file);
  for (auto* list : {&summary.cells, &summary.noise}) {
    for (Cell& cell : *list) {
      const Cell* base = summary.find(cell.workload, standalone);
      if (cell.launches.empty() || base == nullptr || base->launches.empty()) continue;
      // Standalone is the yardstick itself: its ratio is 1 by definition; the noise is A/A's to
      // say.
      cell.ratio = &cell == base ? Ratio{} : ratio_of(cell, *base);
    }
  }
  return summary;
}

}  // namespace results
