// Words and traits of the baseline. It protects by mapping and unmapping the window and remaps
// user memory at each switch, as the paper's does: those axes leave no choice.
#include "baseline-vmm/kind.h"

#include "monitor/machine/machine_config.h"

namespace baseline {
namespace {

using monitor::Need;

constexpr std::string_view traps[] = {"ptrace", "sysemu"};
constexpr std::string_view protections[] = {"mmap"};
constexpr std::string_view spaces[] = {"remap"};
constexpr monitor::Axis axes[] = {{"trap", traps}, {"protect", protections}, {"spaces", spaces}};
constexpr std::size_t trap_axis = 0;

constexpr Need needs[] = {Need::always, Need::guest, Need::ptrace, Need::huge_window};

monitor::Traits traits(const monitor::Config&) {
  return {.promise = "contains a hostile guest program",
          .contains = true,
          .speed = "baseline",
          .needs = needs};
}

}  // namespace

constinit const monitor::Kind kind = {.name = "baseline",
                                      .about = "the VMM on an unmodified host: ptrace, signals",
                                      .is_guest = true,
                                      .axes = axes,
                                      .traits = traits,
                                      .run = monitor::run_baseline};

Trap trap_of(const monitor::Config& config) {
  return static_cast<Trap>(config.values[trap_axis]);
}

}  // namespace baseline
