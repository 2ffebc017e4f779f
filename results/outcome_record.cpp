// Called by results.cpp for each line.
#include "results/outcome_record.h"

#include <fmt/format.h>

#include "monitor/tool/error.h"

namespace results {
namespace {

using monitor::Outcome;
using nlohmann::json;

constexpr int record_version = 1;

json markers_json(const std::vector<monitor::Marker>& markers) {
  json list = json::array();
  for (const auto& marker : markers) {
    list.push_back({{"host_ns", marker.host_ns}, {"text", marker.text}});
  }
  return list;
}

json system_calls_json(const std::map<std::string, monitor::SystemCallAccount>& calls) {
  json object = json::object();
  for (const auto& [name, one] : calls) {
    object[name] = {{"calls", one.calls}, {"trapped", one.trapped}, {"cycles", one.cycles}};
  }
  return object;
}

void read_markers(const json& list, Outcome& outcome) {
  for (const auto& marker : list) {
    outcome.markers.push_back({marker.at("host_ns"), marker.at("text")});
  }
}

void read_system_calls(const json& object, Outcome& outcome) {
  for (const auto& [name, one] : object.items()) {
    outcome.system_calls[name] = {one.at("calls"), one.at("trapped"), one.at("cycles")};
  }
}

/// Not in the records of earlier versions, or only where accounts were kept.
void read_optional(const json& record, Outcome& outcome) {
  outcome.host_calls = record.value("host_calls", outcome.host_calls);
  read_system_calls(record.value("system_calls", json::object()), outcome);
  outcome.cycles = record.value("cycles", outcome.cycles);
  outcome.cycles_per_second = record.value("cycles_per_second", 0.0);
  outcome.shortest_trapped_stay = record.value("shortest_trapped_stay", std::uint64_t{0});
}

}  // namespace

json outcome_record(const Outcome& outcome, const monitor::Config& config) {
  json record = {{"schema", record_version},
                 {"config", config.name()},
                 {"axes", config.axes()},
                 {"promise", config.traits().promise},
                 {"exit_status", outcome.exit_status},
                 {"failure", outcome.failure},
                 {"prefault_seconds", outcome.prefault_seconds},
                 {"boot_seconds", outcome.boot_seconds},
                 {"wall_seconds", outcome.wall_seconds},
                 {"cpu_seconds", outcome.cpu_seconds},
                 {"rss_bytes", outcome.rss_bytes},
                 {"window_is_huge", outcome.window_is_huge},
                 {"markers", markers_json(outcome.markers)},
                 {"counters", outcome.counters},
                 {"unknown_syscalls", outcome.unknown_syscalls},
                 {"warnings", outcome.warnings},
                 {"host_calls", outcome.host_calls},
                 {"system_calls", system_calls_json(outcome.system_calls)}};
  if (!outcome.cycles.empty()) {
    record["cycles"] = outcome.cycles;
    record["cycles_per_second"] = outcome.cycles_per_second;
    record["shortest_trapped_stay"] = outcome.shortest_trapped_stay;
  }
  return record;
}

Outcome outcome_from_record(const json& record) {
  if (record.at("schema") != record_version) {
    throw monitor::HostError(
        fmt::format("the report has schema {}, not {}: made by another version",
                    record.at("schema").dump(), record_version));
  }
  Outcome outcome;
  outcome.exit_status = record.at("exit_status");
  outcome.failure = record.at("failure");
  outcome.prefault_seconds = record.at("prefault_seconds");
  outcome.boot_seconds = record.at("boot_seconds");
  outcome.wall_seconds = record.at("wall_seconds");
  outcome.cpu_seconds = record.at("cpu_seconds");
  outcome.rss_bytes = record.at("rss_bytes");
  outcome.window_is_huge = record.at("window_is_huge");
  read_markers(record.at("markers"), outcome);
  outcome.counters = record.at("counters").get<decltype(outcome.counters)>();
  outcome.unknown_syscalls =
      record.at("unknown_syscalls").get<decltype(outcome.unknown_syscalls)>();
  outcome.warnings = record.at("warnings").get<std::vector<std::string>>();
  read_optional(record, outcome);
  return outcome;
}

}  // namespace results
