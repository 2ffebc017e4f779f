// Judging one launch. Each check returns the problem it found, or nothing; the first one counts.
#include "workloads/harness/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>

namespace harness {
namespace {

constexpr std::size_t stderr_kept = 4096;

/// A marked part: on the host's clock and on the one the workload saw.
struct Part {
  double host_ns, own_ns;
};

struct ParsedMarker {
  std::string word, name;
  std::uint64_t count = 0, own_ns = 0;
};

std::optional<ParsedMarker> parse(const monitor::Marker& marker) {
  ParsedMarker parsed;
  std::istringstream in(marker.text);
  in >> parsed.word >> parsed.name;
  if (parsed.word == "start") in >> parsed.count;
  in >> parsed.own_ns;
  if (!in || (parsed.word != "start" && parsed.word != "stop")) return std::nullopt;
  return parsed;
}

/// Reads the markers as pairs of start and stop of this workload. Returns what is wrong with them.
std::string read_parts(const Slot& slot, const Work& work, const monitor::Outcome& outcome,
                       std::vector<Part>& parts) {
  double host_start = 0, own_start = 0;
  bool open = false;
  for (const auto& marker : outcome.markers) {
    const auto parsed = parse(marker);
    if (!parsed || parsed->name != slot.workload->info.name) {
      return fmt::format("unexpected marker '{}'", marker.text);
    }
    const auto own = static_cast<double>(parsed->own_ns);
    // Outside of a guest nobody stamps: the text's clock is the host's own.
    const double host = slot.config.is_guest() ? static_cast<double>(marker.host_ns) : own;
    if ((parsed->word == "start") == open) return "markers are not in pairs";
    if (!open && parsed->count != work.count) return "the workload made another count than asked";
    if (open) {
      parts.push_back({host - host_start, own - own_start});
    } else {
      host_start = host;
      own_start = own;
    }
    open = !open;
  }
  if (open || parts.size() != work.pairs) {
    return fmt::format("{} measured parts instead of {}", parts.size(), work.pairs);
  }
  return "";
}

/// Judged by the middle one of the parts: on a busy host the guest may lose its CPU between reading
/// its own clock and the host's stamp, which says nothing about either clock.
std::string check_clocks(std::vector<Part> parts) {
  const auto excess = [](const Part& part) {
    return std::abs(part.host_ns - part.own_ns) - clock_tolerance * part.host_ns - clock_slack_ns;
  };
  for (const Part& part : parts) {
    if (part.host_ns <= 0) return "a measured part took no time";
  }
  const auto middle = parts.begin() + static_cast<std::ptrdiff_t>(parts.size() / 2);
  std::nth_element(parts.begin(), middle, parts.end(),
                   [&](const Part& a, const Part& b) { return excess(a) < excess(b); });
  if (excess(*middle) <= 0) return "";
  return fmt::format("guest clock disagrees: {:.3f} ms by the host's clock, {:.3f} ms by its own",
                     middle->host_ns / 1e6, middle->own_ns / 1e6);
}

std::string check_end(const LaunchResult& result) {
  const auto& failure = result.outcome.failure;
  if (!failure.empty()) return failure.substr(0, failure.find('\n'));
  if (result.status == 124) return "timed out";
  if (result.status != 0) return fmt::format("exit status {}", result.status);
  if (!result.client_problem.empty()) return "client on the host: " + result.client_problem;
  if (!result.reported) return "the tool gave no report";
  return "";
}

std::string tail(const std::string& text) {
  return text.size() <= stderr_kept ? text : text.substr(text.size() - stderr_kept);
}

}  // namespace

results::Launch judge(const Slot& slot, const Work& work, const LaunchResult& result,
                      const std::optional<std::string>& reference) {
  results::Launch launch;
  launch.workload = slot.workload->info.name;
  launch.config = slot.config_name();
  launch.axes = slot.config.axes();
  launch.promise = slot.config.traits().promise;
  launch.unit = slot.workload->info.unit;
  launch.round = slot.round;
  launch.warmup = slot.warmup();
  launch.count = work.count;
  launch.output_hash = hash_of(result.out);
  launch.outcome = result.outcome;
  launch.cpu = result.cpu;

  std::vector<Part> parts;
  launch.problem = check_end(result);
  if (launch.ok()) launch.problem = read_parts(slot, work, result.outcome, parts);
  if (launch.ok()) launch.problem = check_output(work.check, result.out, reference);
  if (launch.ok()) launch.problem = check_clocks(parts);
  if (!launch.ok()) launch.stderr_tail = tail(result.err);
  for (const Part& part : parts) {
    const double one = part.host_ns / slot.workload->unit_ns / static_cast<double>(work.count);
    launch.samples.push_back(results::more_is_better(launch.unit) ? 1 / one : one);
  }
  return launch;
}

}  // namespace harness
