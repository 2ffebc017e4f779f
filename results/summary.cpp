// Groups launches into cells, in the order in which they were first run.
#include "results/summary.h"

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
  cells.push_back(std::move(cell));
  return cells.back();
}

/// The medians of time of a cell's counted launches.
void fill_times(Cell& cell, const std::vector<Launch>& launches) {
  std::vector<double> cpu, wall;
  for (const Launch& launch : launches) {
    if (launch.workload != cell.workload || launch.config != cell.config) continue;
    if (launch.warmup || !launch.ok() || launch.samples.empty()) continue;
    cpu.push_back(launch.outcome.cpu_seconds);
    wall.push_back(launch.outcome.wall_seconds);
  }
  if (cpu.empty()) return;
  cell.cpu_seconds = median(cpu);
  cell.wall_seconds = median(wall);
}

}  // namespace

bool Cell::unprotected() const {
  return axes.find("protect=none") != std::string::npos;
}

const Cell* Summary::find(const std::string& workload, const std::string& config) const {
  for (const auto* list : {&cells, &noise}) {
    for (const Cell& cell : *list) {
      if (cell.workload == workload && cell.config == config) return &cell;
    }
  }
  return nullptr;
}

Summary summarize(const File& file) {
  Summary summary;
  for (const Launch& launch : file.launches) {
    Cell& cell =
        cell_for(launch.config == standalone_again ? summary.noise : summary.cells, launch);
    if (!launch.ok()) ++cell.failed;
    if (!launch.warmup && launch.ok() && !launch.samples.empty()) {
      cell.launches.push_back(median(launch.samples));
    }
  }
  for (auto* list : {&summary.cells, &summary.noise}) {
    for (Cell& cell : *list) {
      fill_times(cell, file.launches);
      if (cell.launches.empty()) continue;
      cell.median = median(cell.launches);
      const Cell* base = summary.find(cell.workload, standalone);
      if (base == nullptr || base->launches.empty()) continue;
      // Standalone is the yardstick itself: its ratio is 1 by definition; the noise is A/A's to
      // say.
      cell.ratio = &cell == base ? Ratio{} : ratio_of_medians(cell.launches, base->launches);
    }
  }
  return summary;
}

}  // namespace results
