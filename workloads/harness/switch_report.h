// What `typetwo run switch-cost` found, in words.
#pragma once

#include <string>

#include "results/summary.h"

namespace harness {

/// How a round trip grows from the least touched memory to the most, for each configuration.
std::string switch_facts(const results::Summary&);

}  // namespace harness
