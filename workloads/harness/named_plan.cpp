// The named plans: the ladder of configurations, and the sweep over touched memory.
#include "workloads/harness/named_plan.h"

#include <fmt/format.h>

#include <utility>

#include "results/ladder.h"
#include "results/switch_sweep.h"

namespace harness {
namespace {

using monitor::Config;
using monitor::Spaces;
using monitor::Vmm;

std::vector<std::string> ladder_configs() {
  std::vector<std::string> configs;
  for (const results::Rung& rung : results::ladder()) configs.emplace_back(rung.config);
  return configs;
}

/// Those on which an axis shows, the host's price of the window beside them.
std::vector<const Workload*> ladder_workloads(Effort effort) {
  std::vector<const Workload*> chosen;
  for (const char* name :
       {"null-syscall", "window-pair", "pread-4k", "touch-seq", "pipe-switch", "pipe-switch-32m",
        "fork-exit", "fork-exec", "compute", "busybox-script"}) {
    chosen.push_back(&find_workload(name));
  }
  if (effort == Effort::full) chosen.push_back(&find_workload("shell"));
  return chosen;
}

/// With remap a round trip takes longer the more runs there are: so fewer of them.
template <std::size_t index>
Work switch_work(const Config& config, Effort effort) {
  constexpr results::SwitchPoint point = results::switch_sweep[index];
  std::uint64_t count = config.vmm == Vmm::standalone ? 10'000 : 2'000;
  if (config.vmm != Vmm::standalone && config.spaces == Spaces::remap) {
    count = 1 + 2'000 / (1 + point.runs() / 8);
  }
  Work work = echoing(point.name(), effort == Effort::full ? 4 * count : count);
  work.argv[0] = "/workloads/micro-switch-cost";
  work.argv.push_back(std::to_string(point.mib));
  return work;
}

template <std::size_t... indices>
std::vector<Workload> sweep(std::index_sequence<indices...>) {
  static const std::vector<std::string> names = {results::switch_sweep[indices].name()...};
  return {{{names[indices], "us", "a byte to another process and back", false, false},
           1e3,
           switch_work<indices>,
           1ul << 30}...};
}

std::vector<const Workload*> switch_workloads(Effort) {
  static const auto all = sweep(std::make_index_sequence<results::switch_sweep.size()>());
  std::vector<const Workload*> chosen;
  for (const Workload& workload : all) chosen.push_back(&workload);
  return chosen;
}

}  // namespace

const std::vector<NamedPlan>& named_plans() {
  static const std::vector<NamedPlan> all = {
      {"ladder", "each step from baseline to extended, and each axis put back alone",
       ladder_configs(), ladder_workloads, true, false},
      {"switch-cost",
       "a guest context switch over 0 to 256 MiB touched, by spaces=",
       {"extended", "extended:spaces=remap"},
       switch_workloads,
       false,
       true},
  };
  return all;
}

const NamedPlan* find_named_plan(std::string_view name) {
  for (const NamedPlan& plan : named_plans()) {
    if (plan.name == name) return &plan;
  }
  return nullptr;
}

std::string list_named_plans() {
  std::string text;
  for (const NamedPlan& plan : named_plans())
    text += fmt::format("  {:<16} {}\n", plan.name, plan.about);
  return text;
}

}  // namespace harness
