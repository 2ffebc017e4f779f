// The words of a configuration, as results and reports hold them.
#include "monitor/machine/kind.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace monitor {

std::string Config::name() const {
  std::string text{kind->name};
  char separator = ':';
  for (std::size_t i = 0; i < kind->axes.size(); ++i) {
    if (values[i] == 0) continue;
    text += fmt::format("{}{}={}", separator, kind->axes[i].name, kind->axes[i].words[values[i]]);
    separator = ',';
  }
  return text;
}

std::string Config::axes() const {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < kind->axes.size(); ++i) {
    words.push_back(fmt::format("{}={}", kind->axes[i].name, kind->axes[i].words[values[i]]));
  }
  return fmt::format("{}", fmt::join(words, ","));
}

bool Config::needs(Need need) const {
  const auto all = traits().needs;
  return std::find(all.begin(), all.end(), need) != all.end();
}

}  // namespace monitor
