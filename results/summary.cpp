// Groups launches into cells, in the order in which they were first run.
#include "results/summary.h"

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
  cell.unprotected = !config_of(launch).traits().contains;
  cells.push_back(std::move(cell));
  return cells.back();
}

/// Values and times of the launches that count: the undisturbed ones, if there are any.
void fill(Cell& cell, const std::vector<Launch>& all) {
  std::vector<const Launch*> calm, disturbed;
  for (const Launch& launch : all) {
    if (launch.workload != cell.workload || launch.config != cell.config) continue;
    if (launch.warmup || !launch.ok() || launch.samples.empty()) continue;
    (launch.disturbed() ? disturbed : calm).push_back(&launch);
  }
  cell.disturbed = static_cast<unsigned>(disturbed.size());
  cell.only_disturbed = calm.empty() && !disturbed.empty();
  std::vector<double> cpu, wall;
  for (const Launch* launch : cell.only_disturbed ? disturbed : calm) {
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
  return estimate_of([](auto medians) { return medians[0] / medians[1]; }, cell, base);
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
    for (Cell& cell : *list) fill(cell, file.launches);
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
