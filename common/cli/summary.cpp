// Text for people; scripts read the report instead.
#include "cli/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>
#include <vector>

#include "monitor/tool/message.h"

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
  monitor::say("  {:<24} {}\n", name, value);
}

/// The guest's system calls: those it made most, or those that cost it most.
void print_system_calls(const monitor::Outcome& outcome, double all_cycles) {
  constexpr std::size_t most_rows = 20;
  using Row = std::pair<std::string, monitor::SystemCallAccount>;
  std::vector<Row> rows(outcome.system_calls.begin(), outcome.system_calls.end());
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::pair(a.second.cycles, a.second.calls) > std::pair(b.second.cycles, b.second.calls);
  });
  monitor::say("  {:<24} {:>12} {:>12} {:>12}{}\n", "system call", "calls", "direct", "trapped",
               all_cycles > 0 ? fmt::format(" {:>8} {:>12}", "%", "cycles/call") : "");
  for (std::size_t i = 0; i < std::min(rows.size(), most_rows); ++i) {
    const auto& [name, account] = rows[i];
    const std::uint64_t direct = account.calls - std::min(account.calls, account.trapped);
    std::string time;
    if (all_cycles > 0) {
      time = fmt::format(" {:>8.2f} {:>12}", 100 * static_cast<double>(account.cycles) / all_cycles,
                         account.cycles / std::max<std::uint64_t>(account.calls, 1));
    }
    monitor::say("  {:<24} {:>12} {:>12} {:>12}{}\n", name, account.calls, direct, account.trapped,
                 time);
  }
  if (rows.size() > most_rows) {
    monitor::say("  and {} more: see --report\n", rows.size() - most_rows);
  }
}

double sum_of(const std::map<std::string, std::uint64_t>& cycles) {
  double sum = 0;
  for (const auto& [name, value] : cycles) sum += static_cast<double>(value);
  return sum;
}

/// Where the time went (--account).
void print_time(const monitor::Outcome& outcome) {
  const double all = sum_of(outcome.cycles);
  if (all == 0) return;
  monitor::say("  {:<24} {:>12} {:>12}\n", "time of", "ms", "%");
  for (const auto& [name, cycles] : outcome.cycles) {
    const auto value = static_cast<double>(cycles);
    monitor::say("  {:<24} {:>12.3f} {:>12.2f}\n", name, 1e3 * value / outcome.cycles_per_second,
                 100 * value / all);
  }
  print_row("  of `user`, per trap",
            fmt::format("at most {:.2f} us are the host's",
                        1e6 * static_cast<double>(outcome.shortest_trapped_stay) /
                            outcome.cycles_per_second));
}

}  // namespace

void print_notes(const monitor::Outcome& outcome, std::optional<double> timeout_seconds) {
  for (const auto& warning : outcome.warnings) monitor::say("typetwo: {}\n", warning);
  if (!outcome.failure.empty()) monitor::say("typetwo: {}\n", outcome.failure);
  if (outcome.exit_status == 124 && timeout_seconds &&
      outcome.wall_seconds + outcome.boot_seconds >= *timeout_seconds) {
    monitor::say("typetwo: stopped after {} s (--timeout)\n", *timeout_seconds);
  }
  if (!outcome.unknown_syscalls.empty()) {
    monitor::say("typetwo: unknown system calls, answered with ENOSYS: {}\n",
                 unknown_calls(outcome));
  }
}

void print_summary(const monitor::Outcome& outcome, const monitor::Config& config) {
  auto axes = config.axes();
  monitor::say("{}{}: {}\n", config.name(), axes.empty() ? "" : fmt::format(" ({})", axes),
               config.traits().promise);
  print_row("exit status", fmt::to_string(outcome.exit_status));
  if (config.is_guest()) {
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
  for (const auto& [name, times] : outcome.host_calls) {
    print_row(fmt::format("host {}", name).c_str(), fmt::to_string(times));
  }
  if (!outcome.system_calls.empty()) print_system_calls(outcome, sum_of(outcome.cycles));
  print_time(outcome);
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
