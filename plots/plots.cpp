// Hands the laid-out figure to gnuplot, once for each format.
#include "plots/plots.h"

#include <fmt/format.h>
#include <gnuplot-iostream.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <sstream>

#include "monitor/error.h"
#include "plots/figure.h"

namespace plots {
namespace {

/// gnuplot's single quotes: only a quote itself needs care.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? "''" : std::string(1, c);
  return result + "'";
}

std::string value_label(double ratio) {
  if (std::abs(ratio - 1) < 0.05) return fmt::format("{:.3f}", ratio);
  if (ratio >= 100) return fmt::format("{:.0f}", ratio);
  if (ratio >= 10) return fmt::format("{:.1f}", ratio);
  return fmt::format("{:.2f}", ratio);
}

/// Heights from top to bottom, in points of the SVG; gnuplot counts shares of the whole from below.
struct Page {
  explicit Page(const Figure& figure)
      : header(70 + 17.0 * static_cast<double>((figure.series.size() + 1) / 2)),
        row(figure.rows.size() == 1 ? 460 : 300),
        height(header + row * static_cast<double>(figure.rows.size()) + footer) {}
  [[nodiscard]] double share(double from_top) const { return 1 - from_top / height; }

  static constexpr double width = 1100, footer = 60, names = 35;  // of the workloads
  double header, row, height;
};

std::string fill_of(const Series& series) {
  return fmt::format("fs {} lc rgb '{}'", series.hatched ? "pattern 4" : "solid 0.9",
                     series.colour);
}

/// What stands on the page once: title, key's place, caption.
void page(std::ostream& gp, const Figure& figure, const Page& page) {
  gp << fmt::format(
      "set label 1 'What a virtual machine costs: time relative to standalone' at screen "
      "0.5,{:.4f} "
      "center font ',15' noenhanced\n"
      "set key at screen 0.07,{:.4f} left top maxcols 2 maxrows {} samplen 2 width 2 noenhanced "
      "reverse Left\n",
      page.share(25), page.share(46), (figure.series.size() + 1) / 2);
  double from_bottom = 34;
  for (std::size_t i = 0; i < figure.caption.size(); ++i, from_bottom -= 19) {
    gp << fmt::format(
        "set label {} {} at screen 0.02,{:.4f} font ',9' tc rgb '#444444' noenhanced\n", i + 2,
        quoted(figure.caption[i]), from_bottom / page.height);
  }
}

void scales(std::ostream& gp, const Figure& figure) {
  gp << "set encoding utf8\nset logscale y\n"
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
    plots << "keyentry with boxes " << fill_of(series) << " title " << quoted(series.title) << ", ";
  }
  for (const auto& [series, x, ratio] : row.bars) {
    plots << fmt::format("'-' using 1:2:($1-{0}):($1+{0}):(1):2 with boxxyerror {1} notitle, ",
                         half, fill_of(figure.series[series]));
    data << x << ' ' << ratio.value << "\ne\n";
    intervals << x << ' ' << ratio.low << ' ' << ratio.high << '\n';
    labels << x << ' ' << std::max(ratio.high, 1.0) << ' ' << value_label(ratio.value) << '\n';
  }
  gp << "plot " << plots.str()
     << "'-' using 1:2:(0):($3-$2) with vectors heads size graph 0.004,90 lw 1.5 lc rgb '#000000' "
        "notitle, '-' using 1:2:3 with labels offset 0,0.7 font ',9' notitle\n"
     << data.str() << intervals.str() << "e\n"
     << labels.str() << "e\n";
}

void rows(std::ostream& gp, const Figure& figure, const Page& sizes) {
  gp << "set multiplot\n";
  page(gp, figure, sizes);
  scales(gp, figure);
  double top = sizes.header;
  for (const Row& row : figure.rows) {
    const bool first = &row == &figure.rows.front();
    gp << fmt::format("set tmargin at screen {:.4f}\nset bmargin at screen {:.4f}\n",
                      sizes.share(top), sizes.share(top + sizes.row - sizes.names));
    names(gp, row);
    bars(gp, figure, row, first);
    if (first) gp << "unset label\nunset key\n";
    top += sizes.row;
  }
  gp << "unset multiplot\n";
}

/// `scale`: of the page's size and of what is on it.
void draw(const Figure& figure, const std::string& terminal, double scale,
          const std::string& path) {
  // gnuplot reports an unwritable output only on its own stderr.
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  {
    Gnuplot gp("gnuplot");
    const Page sizes(figure);
    gp << fmt::format("set terminal {} size {:.0f},{:.0f} background '#ffffff'\nset output {}\n",
                      terminal, sizes.width * scale, sizes.height * scale, quoted(path));
    rows(gp, figure, sizes);
    gp << "unset output\n";
  }
  if (!std::filesystem::exists(path)) {
    throw monitor::HostError("gnuplot did not write " + path +
                             "; is gnuplot-nox installed and the folder writable?");
  }
}

}  // namespace

std::vector<std::string> draw_figure(const results::File& file, const std::string& folder,
                                     const std::string& name) {
  const Figure figure = lay_out(file);
  if (figure.series.empty()) {
    throw monitor::HostError(file.path +
                             " has nothing to draw: no correct launch besides standalone");
  }
  const auto base = (std::filesystem::path(folder) / name).string();
  draw(figure, "svg font 'DejaVu Sans,12'", 1, base + ".svg");
  draw(figure, "pngcairo fontscale 1.5 font 'DejaVu Sans,10'", 1.5, base + ".png");
  return {base + ".svg", base + ".png"};
}

}  // namespace plots
