// See fill.h.
#include "monitor/machine/fill.h"

#include <fmt/format.h>

#include <algorithm>

#include "monitor/tool/error.h"

namespace monitor {

const char* word_of(Fill fill) {
  switch (fill) {
    case Fill::before:
      return "before";
    case Fill::ahead:
      return "ahead";
    case Fill::demand:
      return "demand";
  }
  return "";
}

Fill parse_fill(const std::string& word) {
  for (const Fill fill : {Fill::before, Fill::ahead, Fill::demand})
    if (word == word_of(fill)) return fill;
  throw UsageError(fmt::format("--fill is {}, not '{}'", fill_words, word));
}

std::uint64_t filled_before(Fill fill, std::uint64_t ram_bytes) {
  constexpr std::uint64_t beginning = 32ul << 20;
  if (fill == Fill::demand) return 0;
  return fill == Fill::before ? ram_bytes : std::min(beginning, ram_bytes);
}

}  // namespace monitor
