// Text for people; scripts read the report instead.
#include "workloads/harness/cli/summary.h"

#include <fmt/format.h>

#include <cstdio>

namespace cli {
namespace {

std::string unknown_calls(const monitor::Outcome& outcome) {
  std::string text;
  for (const auto& [name, times] : outcome.unknown_syscalls) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", name);
    if (times > 1) text += fmt::format(" ({} times)", times);
  }
  return text;
}

void print_row(const char* name, const std::string& value) {
  fmt::print(stderr, "  {:<24} {}\n", name, value);
}

}  // namespace

void print_notes(const monitor::Outcome& outcome, const monitor::MachineConfig& machine) {
  for (const auto& warning : outcome.warnings) fmt::print(stderr, "typetwo: {}\n", warning);
  if (!outcome.failure.empty()) fmt::print(stderr, "typetwo: {}\n", outcome.failure);
  if (outcome.exit_status == 124 && machine.timeout_seconds &&
      outcome.wall_seconds + outcome.boot_seconds >= *machine.timeout_seconds) {
    fmt::print(stderr, "typetwo: stopped after {} s (--timeout)\n", *machine.timeout_seconds);
  }
  if (!outcome.unknown_syscalls.empty()) {
    fmt::print(stderr, "typetwo: unknown system calls, answered with ENOSYS: {}\n",
               unknown_calls(outcome));
  }
}

void print_summary(const monitor::Outcome& outcome, const monitor::Config& config) {
  auto axes = config.axes();
  fmt::print(stderr, "{}{}: {}\n", config.name(), axes.empty() ? "" : fmt::format(" ({})", axes),
             config.promise());
  print_row("exit status", fmt::to_string(outcome.exit_status));
  if (config.vmm != monitor::Vmm::standalone) {
    print_row("prefault (not counted)", fmt::format("{:.3f} s", outcome.prefault_seconds));
    print_row("window", outcome.window_is_huge ? "2 MiB pages" : "4 KiB pages");
  }
  print_row("boot", fmt::format("{:.4f} s", outcome.boot_seconds));
  print_row("wall", fmt::format("{:.4f} s", outcome.wall_seconds));
  print_row("CPU", fmt::format("{:.4f} s", outcome.cpu_seconds));
  print_row("peak RSS",
            fmt::format("{:.1f} MiB", static_cast<double>(outcome.rss_bytes) / (1 << 20)));
  for (const auto& [name, value] : outcome.counters) {
    if (value != 0) print_row(name.c_str(), fmt::to_string(value));
  }
  for (const auto& marker : outcome.markers) {
    print_row("marker", fmt::format("{} ns: {}", marker.host_ns, marker.text));
  }
  if (!outcome.unknown_syscalls.empty()) print_row("unknown system calls", unknown_calls(outcome));
  for (const auto& call : outcome.observed) {
    print_row(call.allowed ? "host call" : "FORBIDDEN host call",
              fmt::format("{} at {:#x}, {} times{}", call.number, call.ip, call.count,
                          call.in_kernel ? ", window open" : ""));
  }
}

}  // namespace cli
