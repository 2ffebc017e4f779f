// The list, and parsing. A new kind of machine is an entry in `all`.
#include "machines/kinds.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "baseline-vmm/kind.h"
#include "extended-vmm/kind.h"
#include "monitor/standalone/kind.h"
#include "monitor/tool/error.h"
#include "monitor/tool/nearest.h"

namespace machines {
namespace {

using monitor::Axis;
using monitor::UsageError;
using Names = std::vector<std::string_view>;

constexpr const Kind* all[] = {&monitor::standalone_kind, &baseline::kind, &extended::kind};

const Kind* find_kind(std::string_view name) {
  for (const Kind* kind : all) {
    if (kind->name == name) return kind;
  }
  return nullptr;
}

Names split(std::string_view text, char separator) {
  Names parts;
  for (;;) {
    auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::size_t axis_by_name(const Kind& kind, std::string_view name) {
  Names names;
  for (const Axis& axis : kind.axes) {
    if (axis.name == name) return static_cast<std::size_t>(&axis - kind.axes.data());
    names.push_back(axis.name);
  }
  throw UsageError(monitor::unknown("axis", name, names));
}

std::uint8_t value_by_name(const Kind& kind, const Axis& axis, std::string_view name) {
  const auto found = std::find(axis.words.begin(), axis.words.end(), name);
  if (found != axis.words.end()) return static_cast<std::uint8_t>(found - axis.words.begin());
  throw UsageError(monitor::unknown(axis.name, name, {axis.words.begin(), axis.words.end()},
                                    fmt::format(" for {}", kind.name)));
}

/// "trap=sysemu" into the configuration; `seen` holds the axes already given.
void apply_axis(std::string_view word, Config& config, std::vector<bool>& seen) {
  const Kind& kind = *config.kind;
  const auto equals = word.find('=');
  if (equals == std::string_view::npos) {
    std::vector<std::string> forms;
    for (const Axis& axis : kind.axes) forms.push_back(fmt::format("{}=...", axis.name));
    throw UsageError(fmt::format("'{}' is not of the form axis=value: use {}", word,
                                 monitor::one_of({forms.begin(), forms.end()})));
  }
  const std::size_t at = axis_by_name(kind, word.substr(0, equals));
  const Axis& axis = kind.axes[at];
  if (seen[at]) throw UsageError(fmt::format("axis '{}' is given twice", axis.name));
  seen[at] = true;
  config.values[at] = value_by_name(kind, axis, word.substr(equals + 1));
}

/// The words of a list, one configuration each.
std::vector<std::string> names_in(std::string_view list) {
  std::vector<std::string> names;
  for (auto word : split(list, ',')) {
    const bool starts = find_kind(word.substr(0, word.find(':'))) != nullptr;
    const bool continues = !starts && !names.empty() && word.find('=') != std::string_view::npos;
    if (continues) {
      names.back() += (names.back().find(':') == std::string::npos ? ':' : ',');
      names.back() += word;
    } else {
      names.emplace_back(word);
    }
  }
  return names;
}

}  // namespace

std::span<const Kind* const> kinds() {
  return all;
}

Config standalone() {
  return {&monitor::standalone_kind};
}

Config parse(std::string_view text) {
  const auto colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const Kind* kind = find_kind(name);
  if (kind == nullptr) {
    Names names;
    for (const Kind* one : all) names.push_back(one->name);
    throw UsageError(fmt::format("{} (axes come after a colon: extended:protect=none)",
                                 monitor::unknown("configuration", name, names)));
  }
  Config config{kind};
  if (colon == std::string_view::npos) return config;
  if (kind->axes.empty()) {
    throw UsageError(
        fmt::format("{0} has no axes: it is {1}; write just '{0}'", name, kind->about));
  }
  std::vector<bool> seen(kind->axes.size());
  for (auto word : split(text.substr(colon + 1), ',')) apply_axis(word, config, seen);
  return config;
}

std::vector<Config> parse_list(std::string_view text) {
  std::vector<Config> configs;
  for (const auto& name : names_in(text)) {
    const Config config = parse(name);
    if (std::find(configs.begin(), configs.end(), config) != configs.end()) {
      throw UsageError(fmt::format("configuration '{}' is given twice", config.name()));
    }
    configs.push_back(config);
  }
  return configs;
}

std::vector<Config> points(const Kind& kind) {
  std::vector<Config> found = {{&kind}};
  for (std::size_t axis = 0; axis < kind.axes.size(); ++axis) {
    std::vector<Config> more;
    for (Config config : found) {
      for (std::size_t value = 0; value < kind.axes[axis].words.size(); ++value) {
        config.values[axis] = static_cast<std::uint8_t>(value);
        more.push_back(config);
      }
    }
    found = std::move(more);
  }
  return found;
}

std::vector<Config> overview() {
  std::vector<Config> configs;
  for (const Kind* kind : all) {
    configs.push_back({kind});
    for (std::size_t axis = 0; axis < kind->axes.size(); ++axis) {
      for (std::size_t value = 1; value < kind->axes[axis].words.size(); ++value) {
        Config moved{kind};
        moved.values[axis] = static_cast<std::uint8_t>(value);
        configs.push_back(moved);
      }
    }
  }
  return configs;
}

}  // namespace machines
