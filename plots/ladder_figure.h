// The ladder's figure: a panel for each workload, in it a bar for each step.
#pragma once

#include "plots/gnuplot.h"
#include "results/results.h"

namespace plots {

Page ladder_page(const results::File&);

}  // namespace plots
