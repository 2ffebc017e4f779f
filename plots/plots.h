// Figures: read from a results file, drawn by gnuplot.
#pragma once

#include <string>
#include <vector>

#include "results/results.h"

namespace plots {

/// Is there anything besides standalone?
bool has_figure(const results::File&);

/// Draws FOLDER/NAME.svg and FOLDER/NAME.png: for each workload, how many times as long as
/// standalone each configuration takes, on a logarithmic scale, with 95 % intervals; or, of a named
/// plan's results, that plan's figure. Returns the two paths. Throws monitor::HostError: nothing to
/// draw, no gnuplot, folder not writable; older figures are then still there.
std::vector<std::string> draw_figure(const results::File&, const std::string& folder,
                                     const std::string& name);

/// The two paths.
std::vector<std::string> figure_paths(const std::string& folder, const std::string& name);

/// Throws monitor::HostError when there is no gnuplot.
void require_gnuplot();

}  // namespace plots
