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

/// The key stands between title and bars, two series in a row: over the bars it might hide one.
void title_and_key(std::ostream& gp, const Figure& figure) {
  const auto rows = static_cast<double>((figure.series.size() + 1) / 2);
  gp << "set label 'What a virtual machine costs: time relative to standalone' at screen 0.5,0.96 "
        "center font ',15' noenhanced\n"
     << "set key at screen 0.07,0.925 left top maxcols 2 maxrows " << rows
     << " samplen 2 width 2 noenhanced reverse Left\n"
     << fmt::format("set tmargin at screen {:.3f}\n", 0.89 - 0.027 * rows);
}

void settings(std::ostream& gp, const Figure& figure) {
  gp << "set encoding utf8\n"
     << "set logscale y\n"
     << fmt::format("set yrange [{}:{}]\n", std::min(0.5, figure.lowest / 1.5),
                    std::max(10.0, figure.highest * 2.5))
     << fmt::format("set xrange [0:{}]\n", figure.right)
     << "set ylabel 'times standalone (log scale)'\n"
     << "set grid ytics lc rgb '#dddddd' lt 1, lc rgb '#dddddd' lt 1\n"
     << "set ytics nomirror\nset mytics 10\nset border 3\n"
     << "set bmargin 6\n";
  title_and_key(gp, figure);
  gp << "set xtics scale 0 noenhanced (";
  for (std::size_t i = 0; i < figure.groups.size(); ++i) {
    gp << (i > 0 ? ", " : "") << quoted(figure.groups[i].workload) << ' '
       << figure.groups[i].centre;
  }
  gp << ")\n";
  for (std::size_t i = 0; i < figure.caption.size(); ++i) {
    gp << "set label " << quoted(figure.caption[i]) << " at screen 0.02,"
       << fmt::format("{:.3f}", 0.055 - 0.030 * static_cast<double>(i))
       << " font ',9' tc rgb '#444444' noenhanced\n";
  }
  gp << fmt::format("set arrow from 0,1 to {},1 nohead lc rgb '#000000' lw 1 front\n",
                    figure.right);
}

/// Bars stand on the line at 1: below it means faster than standalone.
void series(std::ostream& gp, const Figure& figure) {
  const double half = figure.bar_width * 0.43;
  gp << "plot ";
  for (std::size_t i = 0; i < figure.series.size(); ++i) {
    const Series& one = figure.series[i];
    const std::string fill = one.hatched ? "pattern 4" : "solid 0.9";
    gp << (i > 0 ? ", " : "")
       << fmt::format(
              "'-' using 1:2:($1-{0}):($1+{0}):(1):2 with boxxyerror fs {1} lc rgb '{2}' "
              "title {3}",
              half, fill, one.colour, quoted(one.title));
  }
  gp << ", '-' using 1:3:(0):($4-$3) with vectors heads size graph 0.004,90 lw 1.5 lc rgb "
        "'#000000' notitle"
     << ", '-' using 1:2:3 with labels offset 0,0.7 font ',9' notitle\n";
}

void data(std::ostream& gp, const Figure& figure) {
  std::ostringstream intervals, labels;
  for (const Series& one : figure.series) {
    for (const Bar& bar : one.bars) {
      const auto& [value, low, high] = bar.ratio;
      gp << bar.x << ' ' << value << '\n';
      intervals << bar.x << ' ' << value << ' ' << low << ' ' << high << '\n';
      labels << bar.x << ' ' << std::max(high, 1.0) << ' ' << value_label(value) << '\n';
    }
    gp << "e\n";
  }
  gp << intervals.str() << "e\n" << labels.str() << "e\n";
}

void draw(const Figure& figure, const std::string& terminal, const std::string& path) {
  // gnuplot reports an unwritable output only on its own stderr.
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  {
    Gnuplot gp("gnuplot");
    gp << "set terminal " << terminal << "\nset output " << quoted(path) << "\n";
    settings(gp, figure);
    series(gp, figure);
    data(gp, figure);
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
  draw(figure, "svg size 1100,620 font 'DejaVu Sans,12' background '#ffffff'", base + ".svg");
  draw(figure, "pngcairo size 1650,930 fontscale 1.5 font 'DejaVu Sans,10' background '#ffffff'",
       base + ".png");
  return {base + ".svg", base + ".png"};
}

}  // namespace plots
