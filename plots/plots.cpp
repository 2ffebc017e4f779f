// Which figure a results file asks for; and the usual one: bars by workload, in rows.
#include "plots/plots.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "monitor/tool/error.h"
#include "plots/figure.h"
#include "plots/gnuplot.h"
#include "plots/ladder_figure.h"
#include "plots/switch_figure.h"

namespace plots {
namespace {

constexpr double names_height = 35;  // of the workloads

/// Heights from top to bottom.
struct Rows {
  explicit Rows(const Figure& figure)
      : header(70 + 17.0 * static_cast<double>((figure.series.size() + 1) / 2)),
        row(figure.rows.size() == 1 ? 460 : 300) {}
  double header, row;
};

void key(std::ostream& gp, const Figure& figure, const Page& page) {
  gp << fmt::format(
      "set key at screen 0.07,{:.4f} left top maxcols 2 maxrows {} samplen 2 width 2 noenhanced "
      "reverse Left\n",
      page.share(46), (figure.series.size() + 1) / 2);
}

void scales(std::ostream& gp, const Figure& figure) {
  gp << "set logscale y\n"
     << fmt::format("set yrange [{}:{}]\n", std::min(0.5, figure.lowest / 1.5),
                    std::max(10.0, figure.highest * 2.5))
     << fmt::format("set xrange [0:{}]\n", figure.right)
     << "set grid ytics lc rgb '#dddddd' lt 1, lc rgb '#dddddd' lt 1\n"
     << "set ytics nomirror\nset mytics 10\nset border 3\nset lmargin at screen 0.075\n"
     << "set rmargin at screen 0.985\nset ylabel 'times standalone (log scale)'\n"
     << fmt::format("set arrow from 0,1 to {},1 nohead lc rgb '#000000' lw 1 front\n",
                    figure.right);
}

void names(std::ostream& gp, const Row& row) {
  gp << "set xtics scale 0 noenhanced (";
  for (std::size_t i = 0; i < row.groups.size(); ++i) {
    gp << (i > 0 ? ", " : "") << quoted(row.groups[i].workload) << ' ' << row.groups[i].centre;
  }
  gp << ")\n";
}

/// Bars stand on the line at 1: below it means faster than standalone.
void bars(std::ostream& gp, const Figure& figure, const Row& row, bool with_key) {
  const double half = figure.bar_width * 0.43;
  std::ostringstream plots, data, intervals, labels;
  for (const Series& series : figure.series) {
    if (!with_key) continue;
    plots << "keyentry with boxes " << fill_of(series.colour, series.hatched) << " title "
          << quoted(series.title) << ", ";
  }
  for (const auto& [series, x, ratio] : row.bars) {
    plots << fmt::format("'-' using 1:2:($1-{0}):($1+{0}):(1):2 with boxxyerror {1} notitle, ",
                         half,
                         fill_of(figure.series[series].colour, figure.series[series].hatched));
    data << x << ' ' << ratio.value << "\ne\n";
    intervals << x << ' ' << ratio.low << ' ' << ratio.high << '\n';
    labels << x << ' ' << std::max(ratio.high, 1.0) << ' ' << value_label(ratio) << '\n';
  }
  gp << "plot " << plots.str()
     << "'-' using 1:2:(0):($3-$2) with vectors heads size graph 0.004,90 lw 1.5 lc rgb '#000000' "
        "notitle, '-' using 1:2:3 with labels offset 0,0.7 font ',9' notitle\n"
     << data.str() << intervals.str() << "e\n"
     << labels.str() << "e\n";
}

void rows(std::ostream& gp, const Figure& figure, const Rows& sizes, const Page& page) {
  gp << "set multiplot\n";
  title_and_caption(gp, page, "What a virtual machine costs: time relative to standalone",
                    figure.caption);
  key(gp, figure, page);
  scales(gp, figure);
  double top = sizes.header;
  for (const Row& row : figure.rows) {
    const bool first = &row == &figure.rows.front();
    gp << fmt::format("set tmargin at screen {:.4f}\nset bmargin at screen {:.4f}\n",
                      page.share(top), page.share(top + sizes.row - names_height));
    names(gp, row);
    bars(gp, figure, row, first);
    if (first) gp << "unset label\nunset key\n";
    top += sizes.row;
  }
  gp << "unset multiplot\n";
}

Page bar_page(const results::File& file) {
  const Figure figure = lay_out(file);
  const Rows sizes(figure);
  const double footer = 22 + 19.0 * static_cast<double>(figure.caption.size());
  Page page{1100, sizes.header + sizes.row * static_cast<double>(figure.rows.size()) + footer, {}};
  page.commands = [figure, sizes, page](std::ostream& gp) { rows(gp, figure, sizes, page); };
  return page;
}

using MakePage = Page (*)(const results::File&);

/// The figure of each plan that has one of its own; all others get bars. A new figure is a file
/// beside this, and an entry here.
constexpr struct {
  const char* plan;
  MakePage page;
} figures[] = {{"ladder", ladder_page}, {"switch-cost", switch_page}};

MakePage page_for(const results::File& file) {
  const std::string plan = file.header.options.value("plan", "");
  for (const auto& [name, page] : figures) {
    if (plan == name) return page;
  }
  return bar_page;
}

}  // namespace

bool has_figure(const results::File& file) {
  return !lay_out(file).series.empty();
}

std::vector<std::string> draw_figure(const results::File& file, const std::string& folder,
                                     const std::string& name) {
  if (!has_figure(file)) {
    throw monitor::HostError(file.path +
                             " has nothing to draw: no correct launch besides standalone");
  }
  return render(page_for(file)(file), folder, name);
}

}  // namespace plots
