// What made the numbers worse than they need be, read from the results file.
#include <fmt/format.h>

#include <algorithm>

#include "workloads/harness/report.h"

namespace harness {
namespace {

void noisy(const results::Summary& summary, std::vector<Warning>& warnings) {
  std::string where;
  for (const auto& cell : summary.noise) {
    if (summary.is_noisy(cell.workload)) where += (where.empty() ? "" : ", ") + cell.workload;
  }
  if (where.empty()) return;
  warnings.push_back(
      {Warning::Kind::noisy,
       fmt::format("this machine is noisy: standalone differs from itself in {}", where),
       "stop other programs, or take more launches with --full or --runs"});
}

/// Time that others had of the guest's CPU.
void disturbed(const results::File& file, std::vector<Warning>& warnings) {
  std::size_t times = 0;
  const results::Launch* worst = nullptr;
  const auto share = [](const results::Launch& launch) {
    return launch.cpu->taken_seconds() / launch.cpu->elapsed_seconds;
  };
  for (const auto& launch : file.launches) {
    if (!launch.disturbed()) continue;
    ++times;
    if (worst == nullptr || share(launch) > share(*worst)) worst = &launch;
  }
  if (worst == nullptr) return;
  warnings.push_back(
      {Warning::Kind::disturbed,
       fmt::format("others had the guest's CPU in {} of {} launches, up to {:.0f} % of its time "
                   "({} on {}; load {:.1f}, {:.0f} % stolen by other virtual machines)",
                   times, file.launches.size(), share(*worst) * 100, worst->workload, worst->config,
                   worst->cpu->load, worst->cpu->steal_seconds / worst->cpu->elapsed_seconds * 100),
       "stop other programs; meanwhile trust `cpu s` more than any time, and no ratio without an "
       "interval"});
}

void small_pages(const results::File& file, std::vector<Warning>& warnings) {
  const bool small =
      std::any_of(file.launches.begin(), file.launches.end(), [](const results::Launch& launch) {
        return results::config_of(launch).needs(monitor::Need::huge_window) && launch.ok() &&
               !launch.outcome.window_is_huge;
      });
  if (!small) return;
  warnings.push_back(
      {Warning::Kind::small_pages,
       "the window is of 4 KiB pages: protect=mprotect pays some 76 us for opening and "
       "closing it instead of 3",
       "a Linux of 6.1 or later with MADV_COLLAPSE; see `typetwo doctor`"});
}

void host(const results::File& file, std::vector<Warning>& warnings) {
  const auto& context = file.header.context;
  const std::string hypervisor = context.value("hypervisor", "");
  if (!hypervisor.empty()) {
    warnings.push_back({Warning::Kind::virtual_machine,
                        fmt::format("this host is itself a virtual machine ({}): its page faults "
                                    "and interrupts cost more than a real one's",
                                    hypervisor),
                        "run on the machine itself for figures that are to stand alone"});
  }
  const auto cpus = context.find("cpus_allowed");
  if (cpus != context.end() && cpus->size() == 1) {
    warnings.push_back({Warning::Kind::single_cpu,
                        "one CPU only: the harness disturbs what it measures",
                        "allow a second CPU (taskset, cgroup, container limits)"});
  }
  const std::string clock = context.value("clocksource", "");
  if (!clock.empty() && clock != "tsc" && clock != "kvm-clock") {
    warnings.push_back({Warning::Kind::no_tsc,
                        fmt::format("the host's clock source is {}: reading the clock is a system "
                                    "call, and the guest's clock may drift",
                                    clock),
                        "boot the host with clocksource=tsc where its TSC is invariant"});
  }
}

void from_tool(const results::File& file, std::vector<Warning>& warnings) {
  for (const auto& launch : file.launches) {
    for (const auto& text : launch.outcome.warnings) {
      const bool known = std::any_of(warnings.begin(), warnings.end(),
                                     [&](const Warning& warning) { return warning.text == text; });
      if (!known) warnings.push_back({Warning::Kind::from_tool, text, ""});
    }
  }
}

}  // namespace

std::vector<Warning> find_warnings(const results::File& file, const results::Summary& summary) {
  std::vector<Warning> warnings;
  noisy(summary, warnings);
  disturbed(file, warnings);
  small_pages(file, warnings);
  host(file, warnings);
  from_tool(file, warnings);
  return warnings;
}

}  // namespace harness
