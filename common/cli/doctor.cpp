// typetwo doctor: everything host_check and host_noise know, as a page.
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "machines/kinds.h"
#include "monitor/host/check.h"
#include "monitor/host/noise.h"
#include "monitor/tool/message.h"

namespace cli {

using monitor::Config;
using monitor::Finding;
using monitor::Verdict;

namespace {

const char* word(Verdict verdict) {
  switch (verdict) {
    case Verdict::yes:
      return "yes";
    case Verdict::slow:
      return "slow";
    case Verdict::no:
      return "no";
  }
  return "";
}

void print_findings(const std::vector<Finding>& findings) {
  monitor::print("This host:\n");
  for (const auto& found : findings) monitor::print("  {:<20} {}\n", found.name, found.value);
}

/// Names of what makes the verdict, for the line of a configuration.
std::string reasons(const Config& config, const std::vector<Finding>& findings) {
  std::string text;
  for (const auto& found : findings) {
    if (found.verdict == Verdict::yes || !found.concerns(config)) continue;
    text += fmt::format("{}{}", text.empty() ? ": " : ", ", found.name);
  }
  return text;
}

void print_configs(const std::vector<Finding>& findings) {
  monitor::print("\nWhat it can run:\n");
  for (const auto& config : machines::overview()) {
    monitor::print("  {:<24} {}{}\n", config.name(), word(judge(config, findings)),
                   reasons(config, findings));
  }
}

void print_remedies(const std::vector<Finding>& findings) {
  bool any = false;
  for (const auto& found : findings) {
    if (found.verdict == Verdict::yes) continue;
    if (!any) monitor::print("\nRemedies:\n");
    any = true;
    monitor::print("  {}: {}\n", found.name, found.remedy);
  }
}

}  // namespace

int doctor_main(const Words& words) {
  options::options_description visible("options");
  visible.add_options()("memory",
                        options::value<std::string>()->default_value("1G")->value_name("SIZE"),
                        "guest RAM that is wanted");
  Help help{"typetwo doctor [OPTIONS]",
            "Exit status: 0 when every kind of machine can run here, otherwise 1.\n"};
  auto values = parse(words, visible, help);
  if (!values) return 0;
  auto findings =
      monitor::examine_host(parse_size((*values)["memory"].as<std::string>(), "--memory"));
  for (auto& found : monitor::examine_noise()) findings.push_back(std::move(found));
  print_findings(findings);
  print_configs(findings);
  print_remedies(findings);
  for (const monitor::Kind* kind : machines::kinds()) {
    if (judge({kind}, findings) == Verdict::no) return 1;
  }
  return 0;
}

}  // namespace cli
