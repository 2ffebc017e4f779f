// Numbers and columns as all tables of a run show them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "results/statistics.h"

namespace harness {

/// Four significant digits, never in powers of ten: 0.1216, 85.31, 1234.
std::string number(double value);

/// "1.234 [1.230..1.250]"; "1.234" where there is no interval.
std::string ratio_text(const results::Ratio&);

/// What follows a statement: "holds".
const char* verdict_text(results::Verdict);

using Row = std::vector<std::string>;

/// Columns as wide as their widest cell, each 'l'eft or 'r'ight.
std::string aligned(const std::vector<Row>& rows, std::string_view alignment);

}  // namespace harness
