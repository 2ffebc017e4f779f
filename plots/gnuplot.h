// What all figures share: words for gnuplot, and writing a page as SVG and as PNG.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "results/statistics.h"

namespace plots {

/// A page in points of the SVG, and what writes gnuplot's commands for it.
struct Page {
  double width, height;
  std::function<void(std::ostream&)> commands;
  /// gnuplot counts shares of the whole from below.
  [[nodiscard]] double share(double from_top) const { return 1 - from_top / height; }
};

/// In gnuplot's single quotes.
std::string quoted(const std::string& text);

/// 646, 36.2, 1.51; near 1: 1.005. Without an interval: ≈646.
std::string value_label(const results::Ratio&);

/// How a bar is filled; unprotected configurations are hatched.
std::string fill_of(const std::string& colour, bool hatched);

/// The page's title, and lines of small print at its bottom. They take labels 1 and up.
void title_and_caption(std::ostream&, const Page&, const std::string& title,
                       const std::vector<std::string>& caption);

/// Writes FOLDER/NAME.svg and FOLDER/NAME.png and returns the two paths. Throws
/// monitor::HostError: no gnuplot, folder not writable; then older figures are still there.
std::vector<std::string> render(const Page&, const std::string& folder, const std::string& name);

}  // namespace plots
