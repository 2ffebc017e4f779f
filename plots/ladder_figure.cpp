// Lays the ladder out: panels side by side on one scale, bars from top to bottom in the order of
// the steps, their names on the left. Full set with one axis put back and the unprotected bound
// stand apart below the steps.
#include "plots/ladder_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "plots/figure.h"
#include "results/ladder.h"

namespace plots {
namespace {

using results::Rung;

struct RungBar {
  double y;
  results::Ratio ratio;
  std::string fill;
};

struct Panel {
  std::string workload, title;
  std::vector<RungBar> bars;
};

struct Layout {
  std::vector<Panel> panels;
  std::vector<std::string> caption;
  double lowest = 1, highest = 1;  // of all intervals
};

constexpr std::size_t columns = 3;
constexpr double width = 1100, header = 45, left = 215, right = 20, gap = 16;
constexpr double panel_height = 225, panel_title = 24, panel_axis = 30;

/// From the top, with half a bar's room where another kind begins.
double y_of(std::size_t index) {
  double y = 0;
  for (std::size_t i = 1; i <= index; ++i) {
    const auto kind = results::ladder()[i].kind;
    const bool apart = kind != results::ladder()[i - 1].kind &&
                       (kind == Rung::Kind::put_back || kind == Rung::Kind::bound);
    y += apart ? 1.5 : 1;
  }
  return y;
}

Layout lay_out_ladder(const results::File& file) {
  const auto summary = results::summarize(file);
  Layout layout;
  for (const results::Cell& cell : summary.cells) {
    const auto rungs = results::ladder();
    const auto rung = std::find_if(rungs.begin(), rungs.end(),
                                   [&](const Rung& one) { return one.config == cell.config; });
    if (rung == rungs.end() || !cell.ratio) continue;
    if (layout.panels.empty() || layout.panels.back().workload != cell.workload) {
      layout.panels.push_back({cell.workload, name_of(summary, cell.workload), {}});
    }
    layout.panels.back().bars.push_back({y_of(static_cast<std::size_t>(rung - rungs.begin())),
                                         *cell.ratio, fill_of(colour_of(cell), cell.unprotected)});
    layout.lowest = std::min(layout.lowest, cell.ratio->low);
    layout.highest = std::max(layout.highest, cell.ratio->high);
  }
  layout.caption = caption_of(file);
  for (auto& line : legend_of_marks(summary)) layout.caption.push_back(std::move(line));
  layout.caption.insert(layout.caption.begin(),
                        "Each + row adds one extension to the row above it; below them the full "
                        "set with one axis put back; hatched: unprotected, upper bound.");
  return layout;
}

/// Names of the rungs, or only their marks.
void names(std::ostream& gp, bool with_names) {
  const auto rungs = results::ladder();
  gp << "set ytics scale 0 noenhanced (";
  for (std::size_t i = 0; i < rungs.size(); ++i) {
    gp << (i > 0 ? ", " : "") << quoted(with_names ? rungs[i].label : "") << ' ' << y_of(i);
  }
  gp << ")\n";
}

void bars(std::ostream& gp, const Panel& panel) {
  std::ostringstream plots, data, intervals, labels;
  for (const auto& [y, ratio, fill] : panel.bars) {
    plots << fmt::format("'-' using 1:2:(1):1:($2-0.4):($2+0.4) with boxxyerror {} notitle, ",
                         fill);
    data << ratio.value << ' ' << y << "\ne\n";
    intervals << ratio.low << ' ' << y << ' ' << ratio.high << '\n';
    labels << std::max(ratio.high, 1.0) << ' ' << y << ' ' << value_label(ratio) << '\n';
  }
  gp << "plot " << plots.str()
     << "'-' using 1:2:($3-$1):(0) with vectors heads size graph 0.008,90 lw 1.5 lc rgb '#000000' "
        "notitle, '-' using 1:2:3 with labels left offset 0.6,0 font ',9' notitle\n"
     << data.str() << intervals.str() << "e\n"
     << labels.str() << "e\n";
}

void scales(std::ostream& gp, const Layout& layout) {
  const double last = y_of(results::ladder().size() - 1);
  gp << "set logscale x\nunset key\n"
     << fmt::format("set xrange [{}:{}]\n", std::min(0.3, layout.lowest / 1.3),
                    std::max(10.0, layout.highest * 8))
     << fmt::format("set yrange [{}:-0.7]\n", last + 0.7)
     << "set grid xtics lc rgb '#dddddd' lt 1, lc rgb '#eeeeee' lt 1\n"
     << "set xtics nomirror (0.1, 1, 10, 100, 1000) font ',9'\nset border 3\n"
     << fmt::format("set arrow from 1,{} to 1,-0.7 nohead lc rgb '#000000' lw 1 front\n",
                    last + 0.7);
}

void panels(std::ostream& gp, const Layout& layout, const Page& page) {
  gp << "set multiplot\n";
  title_and_caption(gp, page, "What each extension brings: time relative to standalone (log scale)",
                    layout.caption);
  scales(gp, layout);
  const double each = (width - left - right - gap * (columns - 1)) / columns;
  for (std::size_t i = 0; i < layout.panels.size(); ++i) {
    const double x = left + static_cast<double>(i % columns) * (each + gap);
    const double top = header + static_cast<double>(i / columns) * panel_height;
    gp << fmt::format(
        "set lmargin at screen {:.4f}\nset rmargin at screen {:.4f}\n"
        "set tmargin at screen {:.4f}\nset bmargin at screen {:.4f}\n"
        "set title {} offset 0,-0.6 font ',12' noenhanced\n",
        x / width, (x + each) / width, page.share(top + panel_title),
        page.share(top + panel_height - panel_axis), quoted(layout.panels[i].title));
    names(gp, i % columns == 0);
    bars(gp, layout.panels[i]);
    if (i == 0) gp << "unset label\n";
  }
  gp << "unset multiplot\n";
}

}  // namespace

Page ladder_page(const results::File& file) {
  const Layout layout = lay_out_ladder(file);
  const std::size_t rows = (layout.panels.size() + columns - 1) / columns;
  const double footer = 5 + 19.0 * static_cast<double>(layout.caption.size());
  Page page{width, header + panel_height * static_cast<double>(rows) + footer, {}};
  page.commands = [layout, page](std::ostream& gp) { panels(gp, layout, page); };
  return page;
}

}  // namespace plots
