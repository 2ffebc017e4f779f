// Lays bars out side by side. A workload that fewer configurations ran has a narrower group: no
// holes.
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
    {"baseline", "trap=ptrace", "#D55E00"},      {"baseline", "", "#E69F00"},
    {"extended", "protect=mprotect", "#0072B2"}, {"extended", "protect=mmap", "#56B4E9"},
    {"extended", "protect=none", "#009E73"},     {"", "", "#999999"},
};

const char* colour_of(const Cell& cell) {
  for (const Colour& colour : colours) {
    const bool fits =
        cell.config.rfind(colour.vmm, 0) == 0 && cell.axes.find(colour.axes) != std::string::npos;
    if (fits) return colour.rgb;
  }
  return "#000000";
}

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
  return fmt::format("{} ({}){}", vmm, words,
                     cell.unprotected() ? ": unprotected, upper bound" : "");
}

Series& series_for(Figure& figure, const Cell& cell) {
  for (Series& series : figure.series) {
    if (series.config == cell.config) return series;
  }
  figure.series.push_back({cell.config, title_of(cell), colour_of(cell), cell.unprotected(), {}});
  return figure.series.back();
}

bool drawn(const Cell& cell) {
  return cell.config != results::standalone && cell.ratio;
}

std::vector<std::string> caption_of(const results::File& file) {
  const auto& context = file.header.context;
  const auto word = [&](const char* key) { return context.value(key, std::string("unknown")); };
  std::string commit = word("commit").substr(0, 10);
  if (context.value("dirty", false)) commit += " with changes";
  return {
      fmt::format("Medians of {} launches, configurations interleaved; whiskers: 95 % bootstrap "
                  "interval of the ratio. 1 is standalone: the same program on the host.",
                  file.header.options.value("runs", 0)),
      fmt::format("{}, {}; typetwo {}, {}", word("kernel"), word("cpu"), commit,
                  file.header.started)};
}

}  // namespace

Figure lay_out(const results::File& file) {
  const auto summary = results::summarize(file);
  Figure figure;
  double x = 1;
  for (const Cell& first : summary.cells) {
    const bool seen =
        std::any_of(figure.groups.begin(), figure.groups.end(),
                    [&](const Group& group) { return group.workload == first.workload; });
    if (seen) continue;
    const double begin = x;
    for (const Cell& cell : summary.cells) {
      if (cell.workload != first.workload || !drawn(cell)) continue;
      series_for(figure, cell).bars.push_back({x, *cell.ratio});
      figure.lowest = std::min(figure.lowest, cell.ratio->low);
      figure.highest = std::max(figure.highest, cell.ratio->high);
      x += figure.bar_width;
    }
    if (x == begin) continue;
    figure.groups.push_back({(begin + x - figure.bar_width) / 2, first.workload});
    x += 1;  // between groups
  }
  figure.right = x - 1;
  figure.caption = caption_of(file);
  return figure;
}

}  // namespace plots
