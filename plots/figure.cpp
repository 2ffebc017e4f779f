// Lays bars out side by side, in rows. A workload that fewer configurations ran has a narrower
// group: no holes.
#include "plots/figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace plots {
namespace {

using results::Cell;

/// Okabe and Ito's colours, told apart by colour-blind readers too: warm for the baseline, cold for
/// the extended VMM. A configuration has the same colour in every figure.
struct Colour {
  std::string_view vmm, axes;  // the first line whose words the configuration holds
  const char* rgb;
};
constexpr Colour colours[] = {
    {"baseline", "trap=ptrace", "#D55E00"},
    {"baseline", "", "#E69F00"},
    {"extended", "protect=none", "#009E73"},
    {"extended", "trap=direct,protect=mprotect,spaces=pool", "#0072B2"},
    {"extended", "trap=direct,protect=mprotect", "#CC79A7"},
    {"extended", "trap=direct,protect=mmap", "#F0E442"},
    {"extended", "trap=sigsys,protect=mprotect,spaces=pool", "#5E9BD1"},
    {"extended", "trap=sigsys,protect=mprotect", "#A6C8E6"},
    {"extended", "trap=sigsys,protect=mmap", "#CFE3F3"},
    {"", "", "#999999"},
};

std::size_t series_of(Figure& figure, const Cell& cell) {
  auto& all = figure.series;
  const auto found = std::find_if(
      all.begin(), all.end(), [&](const Series& series) { return series.config == cell.config; });
  if (found != all.end()) return static_cast<std::size_t>(found - all.begin());
  all.push_back({cell.config, title_of(cell), colour_of(cell), cell.unprotected});
  return all.size() - 1;
}

bool drawn(const Cell& cell) {
  return cell.config != results::standalone && cell.ratio;
}

/// The cells that are drawn, by workload.
std::vector<std::vector<Cell>> grouped(const std::vector<Cell>& cells) {
  std::vector<std::vector<Cell>> groups;
  for (const Cell& cell : cells) {
    if (!drawn(cell)) continue;
    const auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& one) {
      return one.front().workload == cell.workload;
    });
    if (group == groups.end()) {
      groups.push_back({cell});
    } else {
      group->push_back(cell);
    }
  }
  return groups;
}

/// Groups in a row, the same number in each but the last.
std::size_t groups_a_row(const std::vector<std::vector<Cell>>& groups) {
  constexpr std::size_t most_in_row = 32;  // bars and the gaps between groups
  std::size_t all = 0;
  for (const auto& group : groups) all += group.size() + 1;
  const std::size_t rows = (all + most_in_row - 1) / most_in_row;
  return rows == 0 ? 1 : (groups.size() + rows - 1) / rows;
}

void add_group(Figure& figure, Row& row, const std::vector<Cell>& cells, const std::string& name,
               double& x) {
  const double begin = x;
  for (const Cell& cell : cells) {
    row.bars.push_back({series_of(figure, cell), x, *cell.ratio});
    figure.lowest = std::min(figure.lowest, cell.ratio->low);
    figure.highest = std::max(figure.highest, cell.ratio->high);
    x += figure.bar_width;
  }
  row.groups.push_back({(begin + x - figure.bar_width) / 2, name});
  figure.right = std::max(figure.right, x);
  x += 1;  // between groups
}

}  // namespace

std::string title_of(const Cell& cell) {
  std::string words;  // "trap=sigsys,protect=none,spaces=remap": the values say enough
  bool value = false;
  for (const char c : cell.axes) {
    if (c == '=') {
      value = true;
    } else if (c == ',') {
      value = false;
      words += ", ";
    } else if (value) {
      words += c;
    }
  }
  const std::string vmm = cell.config.substr(0, cell.config.find(':'));
  return fmt::format("{} ({}){}", vmm, words, cell.unprotected ? ": unprotected, upper bound" : "");
}

const char* colour_of(const Cell& cell) {
  for (const Colour& colour : colours) {
    const bool fits =
        cell.config.rfind(colour.vmm, 0) == 0 && cell.axes.find(colour.axes) != std::string::npos;
    if (fits) return colour.rgb;
  }
  return "#000000";
}

std::string name_of(const results::Summary& summary, const std::string& workload) {
  return workload + (summary.is_noisy(workload) ? "*" : "");
}

std::vector<std::string> caption_of(const results::File& file) {
  const auto& context = file.header.context;
  const auto word = [&](const char* key) { return context.value(key, std::string("unknown")); };
  std::string commit = word("commit").substr(0, 10);
  if (context.value("dirty", false)) commit += " with changes";
  const std::string hypervisor = context.value("hypervisor", "");
  const std::string machine =
      hypervisor.empty() ? "" : fmt::format(" in a virtual machine ({})", hypervisor);
  return {
      fmt::format("Medians of {} launches, configurations interleaved; whiskers: 95 % bootstrap "
                  "interval of the ratio. 1 is standalone: the same program on the host.",
                  file.header.options.value("runs", 0)),
      fmt::format("{}, {}{}; typetwo {}, {}", word("kernel"), word("cpu"), machine, commit,
                  file.header.started)};
}

std::vector<std::string> legend_of_marks(const results::Summary& summary) {
  std::string marks;
  const bool open = std::any_of(summary.cells.begin(), summary.cells.end(), [](const Cell& cell) {
    return drawn(cell) && !cell.ratio->has_interval;
  });
  if (open) {
    marks += fmt::format(" ≈: fewer than {} undisturbed launches, which decide nothing.",
                         results::fewest_launches);
  }
  if (std::any_of(summary.cells.begin(), summary.cells.end(),
                  [&](const Cell& cell) { return summary.is_noisy(cell.workload); })) {
    marks += " *: standalone differs from itself.";
  }
  if (marks.empty()) return {};
  return {marks.substr(1)};
}

Figure lay_out(const results::File& file) {
  const auto summary = results::summarize(file);
  Figure figure;
  const auto groups = grouped(summary.cells);
  const std::size_t in_row = groups_a_row(groups);
  double x = 1;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (i % in_row == 0) {
      figure.rows.emplace_back();
      x = 1;
    }
    const std::string name = name_of(summary, groups[i].front().workload);
    add_group(figure, figure.rows.back(), groups[i], name, x);
  }
  figure.caption = caption_of(file);
  for (auto& line : legend_of_marks(summary)) figure.caption.push_back(std::move(line));
  return figure;
}

}  // namespace plots
