// The named plans: the ladder of configurations, and the sweep over touched memory.
#include "workloads/harness/named_plan.h"

#include <fmt/format.h>

#include "results/ladder.h"
#include "results/switch_sweep.h"

namespace harness {
namespace {

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

Workload switch_workload(const results::SwitchPoint& point) {
  Workload workload;
  workload.info = {.name = point.name(), .unit = "us", .measures = "a byte there and back"};
  workload.unit_ns = 1e3;
  workload.run = {"/workloads/micro-switch-cost", "{count}", "{pairs}", std::to_string(point.mib)};
  // With remap a round trip takes longer the more runs there are: so fewer of them.
  workload.counts = {{"standalone", 10'000},
                     {"extended", 2'000},
                     {"extended:spaces=remap", 1 + 2'000 / (1 + point.runs() / 8)}};
  workload.pairs = 5;
  workload.sizes[1].times = 4;
  workload.check.exact = point.name() + " {operations}\n";
  workload.min_memory = 1ul << 30;
  return workload;
}

std::vector<const Workload*> switch_workloads(Effort) {
  static const auto all = [] {
    std::vector<Workload> made;
    for (const auto& point : results::switch_sweep) made.push_back(switch_workload(point));
    return made;
  }();
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
