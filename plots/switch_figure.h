// The figure of the sweep over touched memory: a line for each configuration.
#pragma once

#include "plots/gnuplot.h"
#include "results/results.h"

namespace plots {

Page switch_page(const results::File&);

}  // namespace plots
