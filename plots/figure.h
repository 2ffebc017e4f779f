// The figure as geometry: where each bar stands and what is written on it. Apart from gnuplot, so
// that it can be tested without it.
#pragma once

#include <string>
#include <vector>

#include "results/summary.h"

namespace plots {

struct Bar {
  double x;
  results::Ratio ratio;
};

struct Series {
  std::string config, title, colour;
  bool hatched;  // unprotected
  std::vector<Bar> bars;
};

struct Group {
  double centre;
  std::string workload;
};

struct Figure {
  std::vector<Series> series;
  std::vector<Group> groups;
  std::vector<std::string> caption;
  double right = 0;                // end of the x axis
  double lowest = 1, highest = 1;  // of all intervals
  double bar_width = 1;
};

/// Workloads in the order of the results, configurations in theirs. Workloads that only standalone
/// ran have no ratio and are left out.
Figure lay_out(const results::File&);

}  // namespace plots
