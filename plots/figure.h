// The figure as geometry: where each bar stands and what is written on it. Apart from gnuplot, so
// that it can be tested without it.
#pragma once

#include <string>
#include <vector>

#include "results/summary.h"

namespace plots {

struct Series {
  std::string config, title, colour;
  bool hatched;  // unprotected
};

struct Bar {
  std::size_t series;  // index
  double x;
  results::Ratio ratio;
};

struct Group {
  double centre;
  std::string workload;  // with a mark where it is noisy
};

/// Groups side by side on an x axis of their own.
struct Row {
  std::vector<Group> groups;
  std::vector<Bar> bars;
};

struct Figure {
  std::vector<Series> series;
  std::vector<Row> rows;  // one below the other, on the same scales
  std::vector<std::string> caption;
  double right = 0;                // end of the x axes
  double lowest = 1, highest = 1;  // of all intervals
  double bar_width = 1;
};

/// A configuration has the same colour in every figure.
const char* colour_of(const results::Cell&);

/// "extended (direct, mprotect, pool)"; the unprotected are labelled as such.
std::string title_of(const results::Cell&);

/// A workload's name; "name*" where standalone differs from itself.
std::string name_of(const results::Summary&, const std::string& workload);

/// How it was measured, and on what.
std::vector<std::string> caption_of(const results::File&);

/// What the marks on bars and names mean, a line; none where there are no marks.
std::vector<std::string> legend_of_marks(const results::Summary&);

/// Workloads in the order of the results, configurations in theirs. Workloads that only standalone
/// ran have no ratio and are left out. As many rows as keep the numbers on the bars apart.
Figure lay_out(const results::File&);

}  // namespace plots
