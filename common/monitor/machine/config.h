// A configuration: a point on the three axes, in the words that flags, results and figures share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "monitor/machine/axes.h"

namespace monitor {

enum class Vmm { standalone, baseline, extended };

struct Config {
  Vmm vmm = Vmm::standalone;
  Trap trap = Trap::ptrace;
  Protect protect = Protect::mmap;
  Spaces spaces = Spaces::remap;

  /// "standalone", "baseline", "baseline:trap=sysemu", "extended:protect=none": the VMM, then the
  /// axes that differ from its defaults. parse(name()) gives the same configuration.
  [[nodiscard]] std::string name() const;
  /// All axes spelled out, for results: "trap=sigsys,protect=mprotect,spaces=remap".
  [[nodiscard]] std::string axes() const;
  /// What the protection promises, one sentence, printed with every result.
  [[nodiscard]] std::string promise() const;
  /// Throws UsageError naming the offending word and the words that would do.
  static Config parse(std::string_view text);
  /// "baseline,extended:trap=sigsys,protect=none,standalone": a comma starts a new configuration
  /// when a VMM's name follows it, else it continues the axes.
  static std::vector<Config> parse_list(std::string_view text);
  /// Every point of a VMM's axes, its default first.
  static std::vector<Config> points(Vmm vmm);

  friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace monitor
