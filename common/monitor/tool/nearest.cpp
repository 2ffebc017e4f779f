// See nearest.h. The distance is that of optimal string alignment (Damerau 1964).
#include "monitor/tool/nearest.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

namespace monitor {
namespace {

constexpr std::size_t most_names = 3;
constexpr std::size_t longest_word = 64;  // beyond, it is no slip

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      const std::size_t changed = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, changed});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost.back().back();
}

}  // namespace

std::vector<std::string_view> nearest(std::string_view word,
                                      const std::vector<std::string_view>& names) {
  std::multimap<std::size_t, std::string_view> found;
  if (word.size() < 2 || word.size() > longest_word) return {};
  for (const std::string_view name : names) {
    const std::size_t slips = name.starts_with(word) ? 1 : distance(word, name);
    if (slips <= 1 + word.size() / 5 && slips < name.size()) found.emplace(slips, name);
  }
  std::vector<std::string_view> result;
  for (const auto& [slips, name] : found) {
    if (result.size() < most_names) result.push_back(name);
  }
  return result;
}

std::string one_of(const std::vector<std::string_view>& names) {
  if (names.size() < 2) return fmt::format("{}", fmt::join(names, ""));
  return fmt::format("{} or {}", fmt::join(names.begin(), names.end() - 1, ", "), names.back());
}

std::string unknown(std::string_view what, std::string_view word,
                    const std::vector<std::string_view>& names, std::string_view where) {
  const auto near = nearest(word, names);
  const auto remedy = near.empty() ? fmt::format("use {}", one_of(names))
                                   : fmt::format("did you mean {}?", one_of(near));
  return fmt::format("unknown {} '{}'{}: {}", what, word, where, remedy);
}

}  // namespace monitor
