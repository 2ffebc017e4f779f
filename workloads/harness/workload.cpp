// The registry, and one launch made from a specification.
#include "workloads/harness/workload.h"

#include <fmt/args.h>
#include <fmt/format.h>

#include <filesystem>

#include "monitor/tool/error.h"
#include "monitor/tool/nearest.h"
#include "workloads/harness/named_plan.h"
#include "workloads/harness/workload_spec.h"

namespace harness {
namespace {

using monitor::Config;

std::uint64_t count_for(const Workload& workload, const Config& config) {
  for (const auto& key : {config.name(), std::string(config.traits().speed)}) {
    if (const auto found = workload.counts.find(key); found != workload.counts.end()) {
      return found->second;
    }
  }
  // "open" is for those that gain by it.
  const auto extended = workload.counts.find("extended");
  return extended == workload.counts.end() ? 1 : extended->second;
}

Words fill_in_all(const Words& texts, const NamedWords& words) {
  Words filled;
  for (const auto& text : texts) filled.push_back(fill_in(text, words));
  return filled;
}

/// A host path that is no absolute one lies beside the specification.
std::string host_path(const Workload& workload, const std::string& filled) {
  return std::filesystem::path(workload.folder) / filled;
}

}  // namespace

std::string fill_in(const std::string& text, const NamedWords& words) try {
  fmt::dynamic_format_arg_store<fmt::format_context> store;
  for (const auto& [name, value] : words) store.push_back(fmt::arg(name.c_str(), value));
  return fmt::vformat(text, store);
} catch (const fmt::format_error&) {
  std::string known;
  for (const auto& [name, value] : words) known += " {" + name + "}";
  throw monitor::HostError(fmt::format(
      "a word in braces in '{}' is unknown: there are{}, and {{{{ for a brace", text, known));
}

Work make_work(const Workload& workload, const Config& config, Effort effort,
               const Surroundings& surroundings) {
  const Size& size = workload.sizes[effort == Effort::full ? 1 : 0];
  Work work;
  work.count = count_for(workload, config) * size.times;
  work.pairs = workload.pairs;
  NamedWords words = size.words;
  words["count"] = std::to_string(work.count);
  words["pairs"] = std::to_string(work.pairs);
  words["operations"] = std::to_string(work.count * work.pairs);
  words["folder"] = workload.folder;
  words["built"] = workload.built;
  words["prepared"] = surroundings.prepared;
  words["port"] = std::to_string(surroundings.port);
  work.argv = fill_in_all(workload.run, words);
  for (const auto& [guest, host] : workload.files) {
    work.add.push_back({host_path(workload, fill_in(host, words)), guest});
  }
  for (const auto& [name, value] : workload.environment) {
    work.env.push_back(name + "=" + fill_in(value, words));
  }
  work.check = workload.check;
  if (work.check.exact) work.check.exact = fill_in(*work.check.exact, words);
  work.check.program = fill_in_all(work.check.program, words);
  work.client = fill_in_all(workload.client, words);
  work.connect = fill_in_all(workload.connect, words);
  work.publish = fill_in_all(workload.publish, words);
  return work;
}

const std::vector<Workload>& workloads() {
  static const std::vector<Workload> all =
      load_workloads(TYPETWO_WORKLOADS, TYPETWO_BUILT_WORKLOADS);
  return all;
}

const Workload& find_workload(const std::string& name) {
  std::vector<std::string_view> names;
  for (const Workload& workload : workloads()) {
    if (workload.info.name == name) return workload;
    names.push_back(workload.info.name);
  }
  for (const NamedPlan& plan : named_plans()) names.push_back(plan.name);
  throw monitor::UsageError(monitor::unknown("workload or plan", name, names));
}

std::vector<WorkloadInfo> list_workloads() {
  std::vector<WorkloadInfo> infos;
  for (const Workload& workload : workloads()) infos.push_back(workload.info);
  return infos;
}

}  // namespace harness
