// One list of fields for both directions, so that what is written is what is read.
#include "monitor/machine/outcome_json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "monitor/tool/error.h"
#include "monitor/tool/output_file.h"

namespace monitor {

using nlohmann::json;

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Marker, host_ns, text)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ObservedCall, ip, arch, number, arguments, count, in_kernel,
                                   allowed)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Outcome, exit_status, failure, prefault_seconds, boot_seconds,
                                   wall_seconds, cpu_seconds, rss_bytes, window_is_huge, markers,
                                   counters, unknown_syscalls, warnings, observed)

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SystemCallAccount, calls, trapped, cycles)

std::string outcome_to_json(const Outcome& outcome, const Config& config) {
  json report = outcome;
  report["host_calls"] = outcome.host_calls;
  report["system_calls"] = outcome.system_calls;
  if (!outcome.cycles.empty()) {
    report["cycles"] = outcome.cycles;
    report["cycles_per_second"] = outcome.cycles_per_second;
    report["shortest_trapped_stay"] = outcome.shortest_trapped_stay;
  }
  report["schema"] = outcome_schema;
  report["config"] = config.name();
  report["axes"] = config.axes();
  report["promise"] = config.traits().promise;
  // A guest may write any bytes into a marker: they must not make the report unreadable.
  return report.dump(1, ' ', false, json::error_handler_t::replace) + '\n';
}

Outcome outcome_from_json(const std::string& text) {
  try {
    json report = json::parse(text);
    if (report.at("schema") != outcome_schema) {
      throw HostError(fmt::format("the report has schema {}, not {}: made by another version",
                                  report.at("schema").dump(), outcome_schema));
    }
    auto outcome = report.get<Outcome>();
    // Reports of earlier versions have none of these.
    outcome.host_calls = report.value("host_calls", outcome.host_calls);
    outcome.system_calls = report.value("system_calls", outcome.system_calls);
    outcome.cycles = report.value("cycles", outcome.cycles);
    outcome.cycles_per_second = report.value("cycles_per_second", 0.0);
    outcome.shortest_trapped_stay = report.value("shortest_trapped_stay", std::uint64_t{0});
    return outcome;
  } catch (const json::exception& error) {
    throw HostError(fmt::format("not a report of typetwo exec: {}", error.what()));
  }
}

void write_report(const std::string& path, const Outcome& outcome, const Config& config) {
  write_file(path, outcome_to_json(outcome, config));
}

}  // namespace monitor
