// Plans and schedules: pure functions of the options and of what is already done.
#include "workloads/harness/schedule.h"

#include <algorithm>

#include "machines/kinds.h"
#include "monitor/tool/error.h"
#include "workloads/harness/named_plan.h"

namespace harness {
namespace {

using monitor::Config;

/// What runs when nobody says otherwise. The paper's two questions everywhere (how far from
/// standalone, what does protection cost); each axis moved alone when there is time, and otherwise
/// where it is all that is measured, as those workloads say themselves.
std::vector<Config> default_configs(const Workload& workload, Effort effort) {
  std::vector<Config> configs;
  if (effort == Effort::quick && !workload.configs.empty()) {
    for (const auto& name : workload.configs) configs.push_back(machines::parse(name));
    return configs;
  }
  for (const Config& config : machines::overview()) {
    const bool answers = config == Config{config.kind} || !config.traits().contains;
    if (effort == Effort::full || answers) configs.push_back(config);
  }
  return configs;
}

/// One round of a workload: standalone, the others, standalone again.
std::vector<Slot> one_round(const Plan& plan, const Workload& workload) {
  std::vector<Slot> round = {{&workload, machines::standalone()}};
  if (!workload.info.standalone_only) {
    const auto configs =
        plan.configs.empty() ? default_configs(workload, plan.effort) : plan.configs;
    for (const Config& config : configs) {
      if (config != machines::standalone()) round.push_back({&workload, config});
    }
  }
  round.push_back({&workload, machines::standalone(), true});
  return round;
}

bool is_done(const Slot& slot, const std::vector<results::Launch>& done) {
  return std::any_of(done.begin(), done.end(), [&](const results::Launch& launch) {
    return launch.workload == slot.workload->info.name && launch.round == slot.round &&
           launch.config == slot.config_name();
  });
}

void add_workload(Plan& plan, const std::string& name) {
  const Workload& workload = find_workload(name);
  if (std::find(plan.workloads.begin(), plan.workloads.end(), &workload) != plan.workloads.end()) {
    throw monitor::UsageError("workload '" + name + "' is given twice");
  }
  plan.workloads.push_back(&workload);
}

/// The first word may name a plan, which then has its own configurations.
const NamedPlan* choose_plan(Plan& plan, const RunOptions& options) {
  if (options.workloads.empty()) return nullptr;
  const NamedPlan* named = find_named_plan(options.workloads.front());
  if (named == nullptr) return nullptr;
  plan.name = named->name;
  plan.compares_workloads = named->compares_workloads;
  if (!options.configs.empty()) {
    throw monitor::UsageError(plan.name + " has its own configurations: leave --on out");
  }
  if (!named->takes_workloads && options.workloads.size() > 1) {
    throw monitor::UsageError(plan.name + " has its own workloads: name no others");
  }
  for (const auto& name : named->configs) plan.configs.push_back(machines::parse(name));
  return named;
}

void choose_workloads(Plan& plan, const RunOptions& options) {
  const NamedPlan* named = choose_plan(plan, options);
  for (std::size_t i = named != nullptr ? 1 : 0; i < options.workloads.size(); ++i) {
    add_workload(plan, options.workloads[i]);
  }
  if (!plan.workloads.empty()) return;
  if (named != nullptr) {
    plan.workloads = named->workloads(options.effort);
    return;
  }
  for (const Workload& workload : workloads()) {
    const bool full = options.effort == Effort::full;
    if (full || workload.info.in_quick) plan.workloads.push_back(&workload);
  }
}

}  // namespace

Plan make_plan(const RunOptions& options) {
  const bool full = options.effort == Effort::full;
  Plan plan;
  plan.configs = options.configs;
  plan.effort = options.effort;
  plan.runs = options.runs.value_or(full ? 11 : 5);
  plan.timeout_seconds = options.timeout_seconds;
  plan.account = options.account;
  plan.fill = options.fill;
  if (plan.runs == 0) throw monitor::UsageError("--runs must be at least 1");
  choose_workloads(plan, options);
  std::uint64_t memory = full ? 1ul << 30 : 256ul << 20;
  for (const Workload* workload : plan.workloads) memory = std::max(memory, workload->min_memory);
  plan.memory_bytes = options.memory_bytes.value_or(memory);
  return plan;
}

std::string Plan::image_of(const Workload& workload) const {
  return workload.from_image ? images.at(workload.packages) : "";
}

nlohmann::json Plan::to_json() const {
  nlohmann::json names = nlohmann::json::array(), points = nlohmann::json::array();
  for (const Workload* workload : workloads) names.push_back(std::string(workload->info.name));
  for (const Config& config : configs) points.push_back(config.name());
  return {{"plan", name},
          {"workloads", names},
          {"configs", points},
          {"effort", effort == Effort::full ? "full" : "quick"},
          {"runs", runs},
          {"memory_bytes", memory_bytes},
          {"fill", monitor::word_of(fill)},
          {"timeout_seconds", timeout_seconds},
          {"account", account}};
}

std::vector<Slot> make_schedule(const Plan& plan) {
  std::vector<Slot> schedule;
  const auto add = [&](const Workload* workload, unsigned number) {
    for (Slot slot : one_round(plan, *workload)) {
      slot.round = number;
      // The warm-up of standalone warms its repetition too.
      if (!(slot.again && slot.warmup())) schedule.push_back(slot);
    }
  };
  if (plan.compares_workloads) {
    for (unsigned number = 0; number <= plan.runs; ++number) {
      for (const Workload* workload : plan.workloads) add(workload, number);
    }
  } else {
    for (const Workload* workload : plan.workloads) {
      for (unsigned number = 0; number <= plan.runs; ++number) add(workload, number);
    }
  }
  return schedule;
}

std::vector<Slot> remaining(const std::vector<Slot>& schedule,
                            const std::vector<results::Launch>& done) {
  const auto unfinished = [&](const Workload* workload) {
    return std::any_of(schedule.begin(), schedule.end(), [&](const Slot& slot) {
      return slot.workload == workload && !slot.warmup() && !is_done(slot, done);
    });
  };
  std::vector<Slot> left;
  for (const Slot& slot : schedule) {
    if (slot.warmup() ? unfinished(slot.workload) : !is_done(slot, done)) left.push_back(slot);
  }
  return left;
}

}  // namespace harness
