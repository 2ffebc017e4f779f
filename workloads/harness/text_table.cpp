// Formatting of numbers and columns.
#include "workloads/harness/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace harness {

std::string number(double value) {
  if (value == 0) return "0";
  const int magnitude = static_cast<int>(std::floor(std::log10(std::abs(value))));
  return fmt::format("{:.{}f}", value, std::clamp(3 - magnitude, 0, 9));
}

std::string ratio_text(const results::Ratio& ratio) {
  if (!ratio.has_interval) return number(ratio.value);
  return fmt::format("{} [{}..{}]", number(ratio.value), number(ratio.low), number(ratio.high));
}

const char* verdict_text(results::Verdict verdict) {
  switch (verdict) {
    case results::Verdict::holds:
      return "holds";
    case results::Verdict::fails:
      return "DOES NOT HOLD";
    case results::Verdict::undecided:
      return "is undecided";
  }
  return "";
}

std::string aligned(const std::vector<Row>& rows, std::string_view alignment) {
  std::vector<std::size_t> widths(alignment.size(), 0);
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += alignment[i] == 'l' ? fmt::format("{:<{}}  ", row[i], widths[i])
                                  : fmt::format("{:>{}}  ", row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace harness
