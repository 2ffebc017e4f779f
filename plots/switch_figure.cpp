// Time of a round trip over the memory touched: every launch as a dot, a line through the medians.
#include "plots/switch_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "plots/figure.h"
#include "results/summary.h"
#include "results/switch_sweep.h"

namespace plots {
namespace {

struct Line {
  std::string title, colour;
  std::ostringstream dots, medians;  // "MIB US" each
};

std::vector<Line> lines_of(const results::Summary& summary) {
  std::vector<std::string> configs;
  for (const results::Cell& cell : summary.cells) {
    if (std::find(configs.begin(), configs.end(), cell.config) == configs.end()) {
      configs.push_back(cell.config);
    }
  }
  std::vector<Line> lines;
  for (const auto& config : configs) {
    Line line;
    for (const results::SwitchPoint& point : results::switch_sweep) {
      const results::Cell* cell = summary.find(point.name(), config);
      if (cell == nullptr || cell->runs() == 0) continue;
      const bool host = config == results::standalone;
      line.title = host ? config : title_of(*cell);
      line.colour = host ? "#555555" : colour_of(*cell);
      for (const double us : cell->launches) line.dots << point.mib << ' ' << us << '\n';
      line.medians << point.mib << ' ' << cell->median << '\n';
    }
    if (!line.title.empty()) lines.push_back(std::move(line));
  }
  return lines;
}

void axes(std::ostream& gp) {
  gp << "set logscale y\nset ytics nomirror\nset mytics 10\nset border 3\n"
        "set grid ytics lc rgb '#dddddd' lt 1, lc rgb '#dddddd' lt 1\nset xtics nomirror (";
  for (const results::SwitchPoint& point : results::switch_sweep) {
    gp << (point.mib > 0 ? ", " : "")
       << fmt::format("\"{}\\n({})\" {}", point.mib, point.runs(), point.mib);
  }
  gp << ")\nset xrange [-6:264]\nset yrange [1:*]\n"
        "set xlabel 'MiB touched in each of two processes (and how many runs that makes)' offset "
        "0,-0.9\n"
        "set ylabel 'us a round trip (log scale)'\n"
        "set key at graph 0.02,0.98 left top Left reverse samplen 3 noenhanced\n"
        "set lmargin at screen 0.115\nset rmargin at screen 0.975\n";
}

void draw(std::ostream& gp, const results::File& file, const Page& page) {
  auto caption = caption_of(file);
  caption.front() = fmt::format(
      "A byte goes to another process and back: two switches, four system calls. Lines: medians; "
      "dots: the {} launches.",
      file.header.options.value("runs", 0));
  caption.insert(caption.begin() + 1,
                 fmt::format("Protection changes every {} KiB, which keeps runs apart.",
                             results::switch_stripe_kib));
  title_and_caption(gp, page, "What a guest context switch costs as processes grow", caption);
  axes(gp);
  gp << fmt::format("set tmargin at screen {:.4f}\nset bmargin at screen {:.4f}\n", page.share(50),
                    page.share(page.height - 140));
  std::ostringstream plots, data;
  for (const Line& line : lines_of(results::summarize(file))) {
    plots << fmt::format(
        "{}'-' with lines lw 2.5 lc rgb '{}' title {}, '-' with points pt 7 ps 0.6 lc rgb '{}' "
        "notitle",
        data.str().empty() ? "plot " : ", ", line.colour, quoted(line.title), line.colour);
    data << line.medians.str() << "e\n" << line.dots.str() << "e\n";
  }
  gp << plots.str() << '\n' << data.str();
}

}  // namespace

Page switch_page(const results::File& file) {
  Page page{1000, 615, {}};
  page.commands = [file, page](std::ostream& gp) { draw(gp, file, page); };
  return page;
}

}  // namespace plots
