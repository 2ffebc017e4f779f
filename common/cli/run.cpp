// typetwo run: words to harness::RunOptions.
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "machines/kinds.h"
#include "monitor/tool/error.h"
#include "workloads/harness/harness.h"

namespace cli {

using monitor::UsageError;

namespace {

options::options_description visible_options() {
  options::options_description visible("options");
  auto add = visible.add_options();
  add("on", options::value<Words>()->composing()->value_name("CONFIG,..."),
      "configurations, e.g. baseline,extended:protect=none (standalone is always measured)");
  add("runs", options::value<unsigned>()->value_name("N"),
      "counted launches of each workload on each configuration");
  add("quick", "small counts, the configurations that matter (this is what it does anyway)");
  add("full", "larger counts, more launches, each axis moved alone: two hours");
  add("out", options::value<std::string>()->value_name("DIR"),
      "results folder (otherwise typetwo-results/TIME here); one with results is resumed");
  add("csv", options::value<std::string>()->value_name("FILE"), "write the summary there as well");
  add("memory", options::value<std::string>()->value_name("SIZE"),
      "guest RAM, with K, M or G: 16M to 2G");
  add("fill", options::value<std::string>()->default_value("before")->value_name("WHEN"),
      "guest RAM gets the host's memory before the guest starts (so that it is not measured), "
      "ahead "
      "of its use, or on demand");
  add("timeout", options::value<std::string>()->value_name("SECONDS"), "limit of one launch");
  add("account", "guests keep account of where their time goes, for the results (up to 3 %)");
  add("no-figure", "draw no figure");
  return visible;
}

std::string workload_list() {
  std::string text = "workloads (those without * when none is named; --full: all):\n";
  for (const auto& workload : harness::list_workloads()) {
    text += fmt::format("  {:<16} {:<3} {}{}{}\n", workload.name, workload.unit, workload.measures,
                        workload.standalone_only ? " (standalone only)" : "",
                        workload.in_quick ? "" : " *");
  }
  text += "plans, in a workload's place, each with its own configurations, table and figure:\n";
  return text + harness::list_named_plans();
}

std::string joined(const Words& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

harness::RunOptions run_options(const options::variables_map& values) {
  harness::RunOptions run;
  if (values.contains("quick") && values.contains("full")) {
    throw UsageError("--quick and --full are opposites: give one of them");
  }
  if (values.contains("workload")) run.workloads = values["workload"].as<Words>();
  if (values.contains("on")) {
    run.configs = machines::parse_list(joined(values["on"].as<Words>()));
  }
  if (values.contains("full")) run.effort = harness::Effort::full;
  if (values.contains("runs")) {
    run.runs = values["runs"].as<unsigned>();
    if (*run.runs == 0 || *run.runs > 10'000) {
      throw UsageError("--runs is a number from 1 to 10000");
    }
  }
  if (values.contains("memory")) {
    run.memory_bytes = parse_memory(values["memory"].as<std::string>());
  }
  run.fill = monitor::parse_fill(values["fill"].as<std::string>());
  if (values.contains("timeout")) {
    run.timeout_seconds = parse_seconds(values["timeout"].as<std::string>(), "--timeout");
  }
  if (values.contains("out")) run.out = values["out"].as<std::string>();
  if (values.contains("csv")) run.csv = values["csv"].as<std::string>();
  run.account = values.contains("account");
  run.figure = !values.contains("no-figure");
  return run;
}

}  // namespace

int run_main(const Words& words) {
  Help help{"typetwo run [PLAN] [WORKLOAD]... [OPTIONS]", workload_list()};
  auto values = parse(words, visible_options(), help, "workload");
  if (!values) return 0;
  return harness::run_command(run_options(*values));
}

}  // namespace cli
