// typetwo exec: one program, one machine. Gathers the root tree, asks whether program and host will
// do, runs the machine, and passes on its exit status.
#include <fmt/format.h>

#include <optional>

#include "monitor/error.h"
#include "monitor/host_check.h"
#include "monitor/machine_config.h"
#include "monitor/outcome_json.h"
#include "workloads/harness/cli/commands.h"
#include "workloads/harness/cli/options.h"
#include "workloads/harness/cli/summary.h"

namespace cli {

using monitor::UsageError;

namespace {

const Help help = {
    "typetwo exec [OPTIONS] -- PROGRAM [ARGS]...",
    R"(CONFIG is standalone (the host itself), baseline, extended, or a point on the axes:
  baseline:trap=ptrace|sysemu
  extended:trap=sigsys,protect=mprotect|mmap|none,spaces=remap
Without --root the guest has /bin/busybox, /bin/sh, /workloads, /etc/passwd, /tmp and /dev.
Exit status: the program's; 128+n when signal n killed it; 124 after --timeout; 125 when the machine
itself failed; 2 for wrong options.

  typetwo exec --on baseline -- /bin/busybox sh -c 'ls / | wc -l'
)"};

options::options_description visible_options() {
  options::options_description visible("options");
  auto add = visible.add_options();
  add("on", options::value<std::string>()->default_value("extended")->value_name("CONFIG"),
      "where it runs");
  add("root", options::value<std::string>()->value_name("DIR"),
      "the guest's root folder: a copy of this one");
  add("add", options::value<Words>()->composing()->value_name("HOSTPATH:GUESTPATH"),
      "put a file or folder into the guest; may be repeated");
  add("block", options::value<std::string>()->value_name("IMAGE"),
      "the guest's disk, a raw ext2 image, becomes its root; /dev, /proc and /tmp stay in memory");
  add("block-read-only", "and is not written");
  add("env", options::value<Words>()->composing()->value_name("K=V"),
      "environment of the program, which is empty otherwise; may be repeated");
  add("memory", options::value<std::string>()->default_value("1G")->value_name("SIZE"),
      "guest RAM, with K, M or G");
  add("timeout", options::value<std::string>()->value_name("SECONDS"), "stop the guest after that");
  add("cpu", options::value<int>()->value_name("N"),
      "host CPU for all of the guest (otherwise the last allowed one)");
  add("report", options::value<std::string>()->value_name("FILE"),
      "write times, counters and markers there, as JSON");
  add("summary", "print them on stderr, readably");
  add("observe", "record every host call of the guest in the report (slow; for tests)");
  return visible;
}

void add_to_root(monitor::RootTree& root, const std::string& word) {
  auto colon = word.rfind(":/");
  if (colon == std::string::npos || colon == 0) {
    throw UsageError(fmt::format("--add '{}' is not of the form HOSTPATH:/GUESTPATH", word));
  }
  root.add(word.substr(0, colon), word.substr(colon + 1));
}

monitor::RootTree gather_root(const options::variables_map& values) {
  auto root = values.contains("root")
                  ? monitor::RootTree::from_directory(values["root"].as<std::string>())
                  : monitor::RootTree::standard();
  if (values.contains("add")) {
    for (const auto& word : values["add"].as<Words>()) add_to_root(root, word);
  }
  return root;
}

std::vector<std::string> environment(const options::variables_map& values) {
  if (!values.contains("env")) return {};
  auto env = values["env"].as<Words>();
  for (const auto& word : env) {
    auto equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw UsageError(fmt::format("--env '{}' is not of the form K=V", word));
    }
  }
  return env;
}

monitor::MachineConfig machine_from(const options::variables_map& values, const Words& argv) {
  monitor::MachineConfig machine;
  machine.config = monitor::Config::parse(values["on"].as<std::string>());
  machine.argv = argv;
  machine.env = environment(values);
  machine.memory_bytes = parse_size(values["memory"].as<std::string>(), "--memory");
  if (values.contains("timeout")) {
    machine.timeout_seconds = parse_seconds(values["timeout"].as<std::string>(), "--timeout");
  }
  if (values.contains("cpu")) {
    machine.cpu = values["cpu"].as<int>();
    if (machine.cpu < 0) throw UsageError("--cpu is negative: name a CPU from 0 on");
  }
  if (values.contains("block")) machine.block_image = values["block"].as<std::string>();
  machine.block_read_only = values.contains("block-read-only");
  if (machine.block_read_only && machine.block_image.empty()) {
    throw UsageError("--block-read-only says something about --block IMAGE, which is missing");
  }
  if (!machine.block_image.empty() && machine.config.vmm == monitor::Vmm::standalone) {
    throw UsageError("--block is for guests: standalone has no disk of its own");
  }
  machine.observe = values.contains("observe");
  if (machine.observe && machine.config.vmm == monitor::Vmm::standalone) {
    throw UsageError("--observe is for guests: standalone has no monitor to watch");
  }
  return machine;
}

monitor::Outcome run_machine(const monitor::MachineConfig& machine) {
  switch (machine.config.vmm) {
    case monitor::Vmm::baseline:
      return monitor::run_baseline(machine);
    case monitor::Vmm::extended:
      return monitor::run_extended(machine);
    case monitor::Vmm::standalone:
      break;
  }
  return monitor::run_standalone(machine);
}

/// Our options end at "--"; what follows is the program's and not for us to parse.
struct Split {
  Words ours, program;
};

Split split_at_dashes(const Words& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--") {
      return {Words(words.begin(), words.begin() + i), Words(words.begin() + i + 1, words.end())};
    }
  }
  return {words, {}};
}

}  // namespace

int exec_main(const Words& words) {
  Split split = split_at_dashes(words);
  auto values = parse(split.ours, visible_options(), help, "words");
  if (!values) return 0;
  if (values->contains("words")) {
    throw UsageError(fmt::format("'{}' comes before any --: write typetwo exec [OPTIONS] -- {} ...",
                                 (*values)["words"].as<Words>().front(),
                                 (*values)["words"].as<Words>().front()));
  }
  if (split.program.empty()) {
    throw UsageError("no program: write it after --, as in typetwo exec -- /bin/busybox ls");
  }
  monitor::MachineConfig machine = machine_from(*values, split.program);
  monitor::RootTree root = gather_root(*values);
  if (machine.block_image.empty()) root.check_program(machine.argv[0]);
  machine.root = &root;
  monitor::require_host_for(machine.config, machine.memory_bytes);

  monitor::Outcome outcome = run_machine(machine);
  print_notes(outcome, machine);
  if (values->contains("summary")) print_summary(outcome, machine.config);
  if (values->contains("report")) {
    monitor::write_report((*values)["report"].as<std::string>(), outcome, machine.config);
  }
  return outcome.exit_status;
}

}  // namespace cli
