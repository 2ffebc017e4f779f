// Words and traits of the extended VMM.
#include "extended-vmm/kind.h"

#include <array>

#include "monitor/machine/machine_config.h"

namespace extended {
namespace {

using monitor::Need;

constexpr std::string_view traps[] = {"direct", "sigsys"};
constexpr std::string_view spaces[] = {"pool", "remap"};
constexpr auto protections = [] {
  std::array<std::string_view, std::size(policies)> words;
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = policies[i].word;
  return words;
}();
constexpr monitor::Axis axes[] = {{"trap", traps}, {"protect", protections}, {"spaces", spaces}};

constexpr Need closing[] = {Need::always, Need::guest, Need::seccomp, Need::huge_window};
constexpr Need open[] = {Need::always, Need::guest, Need::seccomp};

/// Without a host trap and without a window to open it is about as fast as standalone.
monitor::Traits traits(const monitor::Config& config) {
  const auto [trap, protect, spaces] = point_of(config);
  const bool stays_open = protect.protection.window == Window::stays_open;
  return {.promise = protect.promise,
          .contains = protect.contains,
          .speed = trap == Trap::direct && stays_open ? "open" : "extended",
          .needs = stays_open ? std::span<const Need>(open) : closing};
}

}  // namespace

constinit const monitor::Kind kind = {.name = "extended",
                                      .about = "the VMM on an extended host: in context",
                                      .is_guest = true,
                                      .axes = axes,
                                      .traits = traits,
                                      .run = monitor::run_extended};

Point point_of(const monitor::Config& config) {
  const auto& [trap, protect, spaces, unused] = config.values;
  return {static_cast<Trap>(trap), policies[protect], static_cast<Spaces>(spaces)};
}

}  // namespace extended
