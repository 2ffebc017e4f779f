// Names that a person may have meant. For messages of errors only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace monitor {

/// The names that `word` is a slip of the pen away from, nearest first: at most three. Slips are
/// letters left out, added, changed or swapped, and a name cut short.
std::vector<std::string_view> nearest(std::string_view word,
                                      const std::vector<std::string_view>& names);

/// "a, b or c"
std::string one_of(const std::vector<std::string_view>& names);

/// "unknown WHAT 'WORD'WHERE: did you mean X or Y?" or, when nothing is near, "...: use a, b or c".
std::string unknown(std::string_view what, std::string_view word,
                    const std::vector<std::string_view>& names, std::string_view where = "");

}  // namespace monitor
