// Talks to gnuplot, once for each format.
#include "plots/gnuplot.h"

#include <fmt/format.h>
#include <gnuplot-iostream.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "monitor/error.h"

namespace plots {
namespace {

/// `scale`: of the page's size and of what is on it.
void draw(const Page& page, const std::string& terminal, double scale, const std::string& path) {
  // gnuplot reports an unwritable output only on its own stderr.
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  {
    Gnuplot gp("gnuplot");
    gp << fmt::format("set terminal {} size {:.0f},{:.0f} background '#ffffff'\nset output {}\n",
                      terminal, page.width * scale, page.height * scale, quoted(path))
       << "set encoding utf8\n";
    page.commands(gp);
    gp << "unset output\n";
  }
  if (!std::filesystem::exists(path)) {
    throw monitor::HostError("gnuplot did not write " + path +
                             "; is gnuplot-nox installed and the folder writable?");
  }
}

}  // namespace

std::string quoted(const std::string& text) {
  std::string result = "'";  // in single quotes only a quote itself needs care
  for (const char c : text) result += c == '\'' ? "''" : std::string(1, c);
  return result + "'";
}

std::string value_label(double ratio) {
  if (std::abs(ratio - 1) < 0.05) return fmt::format("{:.3f}", ratio);
  if (ratio >= 100) return fmt::format("{:.0f}", ratio);
  if (ratio >= 10) return fmt::format("{:.1f}", ratio);
  return fmt::format("{:.2f}", ratio);
}

std::string fill_of(const std::string& colour, bool hatched) {
  return fmt::format("fs {} lc rgb '{}'", hatched ? "pattern 4" : "solid 0.9", colour);
}

void title_and_caption(std::ostream& gp, const Page& page, const std::string& title,
                       const std::vector<std::string>& caption) {
  gp << fmt::format("set label 1 {} at screen 0.5,{:.4f} center font ',15' noenhanced\n",
                    quoted(title), page.share(25));
  double from_bottom = 15 + 19.0 * static_cast<double>(caption.size() - 1);
  for (std::size_t i = 0; i < caption.size(); ++i, from_bottom -= 19) {
    gp << fmt::format(
        "set label {} {} at screen 0.02,{:.4f} font ',9' tc rgb '#444444' noenhanced\n", i + 2,
        quoted(caption[i]), from_bottom / page.height);
  }
}

std::vector<std::string> render(const Page& page, const std::string& folder,
                                const std::string& name) {
  const auto base = (std::filesystem::path(folder) / name).string();
  draw(page, "svg font 'DejaVu Sans,12'", 1, base + ".svg");
  draw(page, "pngcairo fontscale 1.5 font 'DejaVu Sans,10'", 1.5, base + ".png");
  return {base + ".svg", base + ".png"};
}

}  // namespace plots
