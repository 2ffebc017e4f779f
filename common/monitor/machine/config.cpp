// The words of configurations, and what each promises. One table says which values each VMM has on
// each axis; parsing, naming and error messages all read it.
#include "monitor/machine/config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <optional>

#include "monitor/tool/error.h"
#include "monitor/tool/nearest.h"

namespace monitor {
namespace {

constexpr std::array<std::string_view, 3> vmm_names = {"standalone", "baseline", "extended"};
constexpr std::array<std::string_view, 4> trap_names = {"ptrace", "sysemu", "sigsys", "direct"};
constexpr std::array<std::string_view, 3> protect_names = {"mmap", "mprotect", "none"};
constexpr std::array<std::string_view, 2> spaces_names = {"remap", "pool"};
constexpr std::array<std::string_view, 3> axis_names = {"trap", "protect", "spaces"};

/// A point on the axes as indices into the name tables, in the order of axis_names.
using Point = std::array<unsigned, 3>;

std::string_view value_name(unsigned axis, unsigned value) {
  if (axis == 0) return trap_names[value];
  if (axis == 1) return protect_names[value];
  return spaces_names[value];
}

/// What a VMM offers on one axis, its default first.
std::vector<unsigned> choices(Vmm vmm, unsigned axis) {
  if (vmm == Vmm::standalone) return {};
  bool baseline = vmm == Vmm::baseline;
  constexpr auto index = [](auto value) { return static_cast<unsigned>(value); };
  if (axis == 0) {
    if (baseline) return {index(Trap::ptrace), index(Trap::sysemu)};
    return {index(Trap::direct), index(Trap::sigsys)};
  }
  if (axis == 1) {
    if (baseline) return {index(Protect::mmap)};
    return {index(Protect::mprotect), index(Protect::mmap), index(Protect::none)};
  }
  if (baseline) return {index(Spaces::remap)};
  return {index(Spaces::pool), index(Spaces::remap)};
}

Point point_of(const Config& config) {
  return {static_cast<unsigned>(config.trap), static_cast<unsigned>(config.protect),
          static_cast<unsigned>(config.spaces)};
}

std::optional<Vmm> vmm_by_name(std::string_view name) {
  for (unsigned i = 0; i < vmm_names.size(); ++i) {
    if (vmm_names[i] == name) return static_cast<Vmm>(i);
  }
  return std::nullopt;
}

Config with_point(Vmm vmm, const Point& point) {
  return {vmm, static_cast<Trap>(point[0]), static_cast<Protect>(point[1]),
          static_cast<Spaces>(point[2])};
}

Config default_config(Vmm vmm) {
  if (vmm == Vmm::standalone) return {};
  Point point{};
  for (unsigned axis = 0; axis < point.size(); ++axis) point[axis] = choices(vmm, axis).front();
  return with_point(vmm, point);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

unsigned axis_by_name(std::string_view name) {
  for (unsigned axis = 0; axis < axis_names.size(); ++axis) {
    if (axis_names[axis] == name) return axis;
  }
  throw UsageError(unknown("axis", name, {axis_names.begin(), axis_names.end()}));
}

unsigned value_by_name(Vmm vmm, unsigned axis, std::string_view name) {
  std::vector<std::string_view> offered;
  for (unsigned value : choices(vmm, axis)) {
    offered.push_back(value_name(axis, value));
    if (offered.back() == name) return value;
  }
  throw UsageError(unknown(axis_names[axis], name, offered,
                           fmt::format(" for {}", vmm_names[static_cast<unsigned>(vmm)])));
}

/// "trap=sysemu" into the point; `seen` holds the axes already given.
void apply_axis(Vmm vmm, std::string_view word, Point& point, std::array<bool, 3>& seen) {
  auto equals = word.find('=');
  if (equals == std::string_view::npos) {
    throw UsageError(fmt::format("'{}' is not of the form axis=value: use {}", word,
                                 one_of({"trap=...", "protect=...", "spaces=..."})));
  }
  unsigned axis = axis_by_name(word.substr(0, equals));
  if (seen[axis]) throw UsageError(fmt::format("axis '{}' is given twice", axis_names[axis]));
  seen[axis] = true;
  point[axis] = value_by_name(vmm, axis, word.substr(equals + 1));
}

}  // namespace

Config Config::parse(std::string_view text) {
  auto colon = text.find(':');
  std::string_view name = text.substr(0, colon);
  auto vmm = vmm_by_name(name);
  if (!vmm) {
    const auto why = unknown("configuration", name, {vmm_names.begin(), vmm_names.end()});
    throw UsageError(fmt::format("{} (axes come after a colon: extended:protect=none)", why));
  }
  Config config = default_config(*vmm);
  if (colon == std::string_view::npos) return config;
  if (*vmm == Vmm::standalone) {
    throw UsageError("standalone has no axes: it is the host itself; write just 'standalone'");
  }
  Point point = point_of(config);
  std::array<bool, 3> seen{};
  for (auto word : split(text.substr(colon + 1), ',')) apply_axis(*vmm, word, point, seen);
  return with_point(*vmm, point);
}

std::vector<Config> Config::parse_list(std::string_view text) {
  std::vector<std::string> names;
  for (auto word : split(text, ',')) {
    bool starts = vmm_by_name(word.substr(0, word.find(':'))).has_value();
    bool continues = !starts && !names.empty() && word.find('=') != std::string_view::npos;
    if (continues) {
      names.back() += (names.back().find(':') == std::string::npos ? ':' : ',');
      names.back() += word;
    } else {
      names.emplace_back(word);
    }
  }
  std::vector<Config> configs;
  for (const auto& name : names) {
    Config config = parse(name);
    for (const auto& other : configs) {
      if (other == config) {
        throw UsageError(fmt::format("configuration '{}' is given twice", config.name()));
      }
    }
    configs.push_back(config);
  }
  return configs;
}

std::vector<Config> Config::points(Vmm vmm) {
  if (vmm == Vmm::standalone) return {Config{}};
  std::vector<Config> all;
  for (unsigned trap : choices(vmm, 0)) {
    for (unsigned protect : choices(vmm, 1)) {
      for (unsigned spaces : choices(vmm, 2)) {
        all.push_back(with_point(vmm, {trap, protect, spaces}));
      }
    }
  }
  return all;
}

std::string Config::name() const {
  std::string text{vmm_names[static_cast<unsigned>(vmm)]};
  if (vmm == Vmm::standalone) return text;
  Point point = point_of(*this);
  Point defaults = point_of(default_config(vmm));
  char separator = ':';
  for (unsigned axis = 0; axis < point.size(); ++axis) {
    if (point[axis] == defaults[axis]) continue;
    text += fmt::format("{}{}={}", separator, axis_names[axis], value_name(axis, point[axis]));
    separator = ',';
  }
  return text;
}

std::string Config::axes() const {
  if (vmm == Vmm::standalone) return "";
  Point point = point_of(*this);
  std::vector<std::string> words;
  for (unsigned axis = 0; axis < point.size(); ++axis) {
    words.push_back(fmt::format("{}={}", axis_names[axis], value_name(axis, point[axis])));
  }
  return fmt::format("{}", fmt::join(words, ","));
}

std::string Config::promise() const {
  if (vmm == Vmm::standalone) return "no virtual machine: the host's own protection";
  if (protect == Protect::none) return "unprotected, upper bound: contains nothing";
  return "contains a hostile guest program";
}

}  // namespace monitor
