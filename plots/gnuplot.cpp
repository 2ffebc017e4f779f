// Talks to gnuplot, once for each format.
#include "plots/gnuplot.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gnuplot-iostream.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>

#include "monitor/tool/error.h"
#include "monitor/tool/output_file.h"
#include "plots/plots.h"

namespace plots {
namespace {

constexpr const char* remedy = "is gnuplot-nox whole, and is there memory?";

/// Holds a figure until it is known to be whole: gnuplot does not say when it could not write.
class Canvas {
 public:
  Canvas() : fd_(memfd_create("typetwo-figure", MFD_CLOEXEC)) {
    if (fd_ < 0) monitor::throw_errno("cannot make a file in memory for a figure");
  }
  ~Canvas() { close(fd_); }
  Canvas(const Canvas&) = delete;
  Canvas& operator=(const Canvas&) = delete;
  /// For a child.
  [[nodiscard]] std::string path() const { return fmt::format("/proc/{}/fd/{}", getpid(), fd_); }
  [[nodiscard]] std::string content() const {
    std::ifstream in(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  int fd_;
};

struct Format {
  const char* ending;
  const char* terminal;
  double scale;           // of the page's size and of what is on it
  std::string_view last;  // at the end of a whole file
};
constexpr Format formats[] = {
    {".svg", "svg font 'DejaVu Sans,12'", 1, "</svg>"},
    {".png", "pngcairo fontscale 1.5 font 'DejaVu Sans,10'", 1.5, "IEND\xae\x42\x60\x82"},
};

/// The bytes of the figure.
std::string draw(const Page& page, const Format& format) {
  const monitor::BrokenPipesFail guard;  // should gnuplot end early
  const Canvas canvas;
  std::FILE* gnuplot = popen("gnuplot", "we");
  if (gnuplot == nullptr) monitor::throw_errno("cannot start gnuplot");
  {
    // It closes what it is given, and keeps the exit status to itself.
    Gnuplot gp(fdopen(fcntl(fileno(gnuplot), F_DUPFD_CLOEXEC, 3), "w"));
    gp << fmt::format("set terminal {} size {:.0f},{:.0f} background '#ffffff'\nset output {}\n",
                      format.terminal, page.width * format.scale, page.height * format.scale,
                      quoted(canvas.path()))
       << "set encoding utf8\n";
    page.commands(gp);
    gp << "unset output\n";
  }
  const int status = pclose(gnuplot);
  rlimit files{};
  if (getrlimit(RLIMIT_FSIZE, &files) == 0 && canvas.content().size() >= files.rlim_cur) {
    errno = EFBIG;  // gnuplot died of it, or ended without a word
    monitor::throw_unwritten("a figure");
  }
  if (status != 0) {
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    throw monitor::HostError(fmt::format("gnuplot failed ({}); {}", code, remedy));
  }
  std::string bytes = canvas.content();
  constexpr std::size_t tail = 16;  // line ends and the like may follow
  if (bytes.find(format.last, bytes.size() - std::min(bytes.size(), tail)) == bytes.npos) {
    throw monitor::HostError(
        fmt::format("gnuplot wrote no whole {} file; {}", format.ending + 1, remedy));
  }
  return bytes;
}

}  // namespace

std::string quoted(const std::string& text) {
  std::string result = "'";  // in single quotes only a quote itself needs care
  for (const char c : text) result += c == '\'' ? "''" : std::string(1, c);
  return result + "'";
}

std::string value_label(const results::Ratio& estimate) {
  const double ratio = estimate.value;
  if (!estimate.has_interval) return "≈" + value_label({.value = ratio, .has_interval = true});
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

void require_gnuplot() {
  const char* folders = std::getenv("PATH");
  std::istringstream path(folders != nullptr ? folders : "/bin:/usr/bin");
  for (std::string folder; std::getline(path, folder, ':');) {
    if (access((folder + "/gnuplot").c_str(), X_OK) == 0) return;
  }
  throw monitor::HostError("no gnuplot to draw figures: run: apt-get install gnuplot-nox");
}

std::vector<std::string> figure_paths(const std::string& folder, const std::string& name) {
  std::vector<std::string> paths;
  for (const Format& format : formats) {
    paths.push_back((std::filesystem::path(folder) / name).string() + format.ending);
  }
  return paths;
}

std::vector<std::string> render(const Page& page, const std::string& folder,
                                const std::string& name) {
  require_gnuplot();
  std::vector<std::string> figures;  // all of them, before any of the old ones goes
  for (const Format& format : formats) figures.push_back(draw(page, format));
  const auto paths = figure_paths(folder, name);
  for (std::size_t i = 0; i < paths.size(); ++i) monitor::write_file(paths[i], figures[i]);
  return paths;
}

}  // namespace plots
