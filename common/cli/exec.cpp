// typetwo exec: one program, one machine. Gathers the root tree, asks whether program and host will
// do, runs the machine, and passes on its exit status.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>

#include "cli/commands.h"
#include "cli/exec.h"
#include "cli/summary.h"
#include "monitor/gdb/debug_stub.h"
#include "monitor/host/check.h"
#include "monitor/machine/machine_config.h"
#include "monitor/machine/outcome_json.h"
#include "monitor/tool/error.h"
#include "monitor/tool/output_file.h"
#include "workloads/harness/context.h"
#include "workloads/image/root_image.h"
#include "workloads/image/unpacked_image.h"

namespace cli {

using monitor::UsageError;

namespace {

const Help help = {
    "typetwo exec [OPTIONS] -- PROGRAM [ARGS]...",
    R"(CONFIG is standalone (the host itself), baseline, extended, or a point on the axes:
  baseline:trap=ptrace|sysemu
  extended:trap=direct|sigsys,protect=mprotect|mmap|none,spaces=pool|remap
--root takes a folder, which is copied into guest memory, or an ext2 image (typetwo image makes one).
standalone runs an image's files from IMAGE.tree beside it, unpacked at first use and never changed;
what the program writes goes to that file system, too, and is dropped at the end.
Without --root the guest has /bin/busybox, /bin/sh, /workloads, /etc/passwd, /tmp and /dev.
Exit status: the program's; 128+n when signal n killed it; 124 after --timeout; 125 when the machine
itself failed; 126 for a program that cannot be executed, 127 for one that is not there; 2 for wrong
options.

  typetwo exec --on baseline -- /bin/busybox sh -c 'ls / | wc -l'
)"};

}  // namespace

void add_machine_options(options::options_description& visible) {
  auto add = visible.add_options();
  add("on", options::value<std::string>()->default_value("extended")->value_name("CONFIG"),
      "where it runs");
  add("root", options::value<std::string>()->value_name("DIR|IMAGE"),
      "the guest's files: a copy of this folder, or a raw ext2 image");
  add("add", options::value<Words>()->composing()->value_name("HOSTPATH:GUESTPATH"),
      "put a file or folder into the guest; may be repeated");
  add("read-only", "a guest does not write the image");
  add("env", options::value<Words>()->composing()->value_name("K=V"),
      "environment of the program, which is empty otherwise; may be repeated");
  add("memory", options::value<std::string>()->default_value("1G")->value_name("SIZE"),
      "guest RAM, with K, M or G: 16M to 2G");
  add("fill", options::value<std::string>()->default_value("ahead")->value_name("WHEN"),
      "guest RAM gets the host's memory before the guest starts, ahead of its use, or on demand");
  add("timeout", options::value<std::string>()->value_name("SECONDS"), "stop the guest after that");
  add("cpu", options::value<int>()->value_name("N"),
      "host CPU for all of the guest (otherwise the last allowed one)");
  add("report", options::value<std::string>()->value_name("FILE"),
      "write times, counters and markers there, as JSON");
  add("summary", "print them on stderr, readably");
  add("account", "keep account of where the guest's time goes (costs it up to 3 %)");
}

namespace {

options::options_description visible_options() {
  options::options_description visible("options");
  add_machine_options(visible);
  visible.add_options()("strace", "print the guest's system calls on stderr, as strace would")(
      "debug", options::value<std::string>()->value_name("SOCKET"),
      "wait for gdb at this Unix socket, which then has the guest (docs/debugging.md)")(
      "observe", "record every host call of the guest in the report (slow; for tests)");
  return visible;
}

void add_to_root(monitor::RootTree& root, const std::string& word) {
  auto colon = word.rfind(":/");
  if (colon == std::string::npos || colon == 0) {
    throw UsageError(fmt::format("--add '{}' is not of the form HOSTPATH:/GUESTPATH", word));
  }
  root.add(word.substr(0, colon), word.substr(colon + 1));
}

/// The image that --root names, checked; "" when it names a folder, or there is none.
std::string image_in(const options::variables_map& values) {
  if (!values.contains("root")) return "";
  auto root = values["root"].as<std::string>();
  std::error_code none;
  if (!std::filesystem::is_regular_file(root, none)) return "";
  image::read_superblock(root);
  if (values.contains("add")) {
    throw UsageError("--add puts nothing into an image: add it to a folder, with --root DIR");
  }
  return root;
}

/// Unpacks an image that standalone is to run. Guests read it themselves.
std::optional<image::UnpackedImage> unpack_for(const monitor::MachineConfig& machine) {
  if (machine.block_image.empty() || machine.config.vmm != monitor::Vmm::standalone) {
    return std::nullopt;
  }
  return std::make_optional<image::UnpackedImage>(machine.block_image);
}

monitor::RootTree gather_root(const options::variables_map& values) {
  // A guest with a disk has only /dev, /proc and /tmp from here, beside the disk.
  if (!image_in(values).empty()) return monitor::RootTree::system_folders();
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
  machine.memory_bytes = parse_memory(values["memory"].as<std::string>());
  machine.fill = monitor::parse_fill(values["fill"].as<std::string>());
  if (values.contains("timeout")) {
    machine.timeout_seconds = parse_seconds(values["timeout"].as<std::string>(), "--timeout");
  }
  if (values.contains("cpu")) {
    machine.cpu = values["cpu"].as<int>();
    const auto allowed = harness::allowed_cpus();
    if (std::find(allowed.begin(), allowed.end(), machine.cpu) == allowed.end()) {
      throw UsageError(fmt::format("--cpu {} is none that this process may use: choose one of {}",
                                   machine.cpu, fmt::join(allowed, ", ")));
    }
  }
  machine.block_image = image_in(values);
  machine.block_read_only = values.contains("read-only");
  if (machine.block_read_only && machine.block_image.empty()) {
    throw UsageError("--read-only is about an image, and --root names none");
  }
  machine.trace_syscalls = values.contains("strace");
  if (machine.trace_syscalls && machine.config.vmm == monitor::Vmm::standalone) {
    throw UsageError("--strace is for guests: for standalone use the host's own strace");
  }
  machine.account = values.contains("account");
  if (machine.account && machine.config.vmm == monitor::Vmm::standalone) {
    throw UsageError("--account is for guests: for standalone use the host's own perf");
  }
  machine.observe = values.contains("observe");
  if (machine.observe && machine.config.vmm == monitor::Vmm::standalone) {
    throw UsageError("--observe is for guests: standalone has no monitor to watch");
  }
  if (values.contains("debug")) {
    if (machine.config.vmm == monitor::Vmm::standalone) {
      throw UsageError("--debug is for guests: under standalone run gdb itself");
    }
    if (machine.observe) throw UsageError("--debug and --observe exclude one another: one tracer");
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

/// The program of a shell that names none.
Words default_shell(const monitor::MachineConfig& machine, const monitor::RootTree& root) {
  bool has_bash = true;
  if (!machine.block_image.empty()) {
    has_bash = image::has_file(machine.block_image, "/bin/bash");
  } else {
    try {
      root.check_program("/bin/bash");
    } catch (const std::exception&) {
      has_bash = false;
    }
  }
  return {has_bash ? "/bin/bash" : "/bin/sh", "-l"};
}

}  // namespace

Split split_at_dashes(const Words& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--") {
      return {Words(words.begin(), words.begin() + i), Words(words.begin() + i + 1, words.end())};
    }
  }
  return {words, {}};
}

/// What the run will need at its end, or takes long to find out, is looked at first.
void check_needs(const options::variables_map& values, const monitor::MachineConfig& machine) {
  monitor::require_host_for(machine.config, machine.memory_bytes);
  if (!values.contains("report")) return;
  constexpr std::uint64_t report_bytes = 64 << 10;
  const auto report = values["report"].as<std::string>();
  monitor::OutputFile::check(report, report_bytes);
  Words inputs;
  if (!machine.block_image.empty()) inputs.push_back(machine.block_image);
  if (values.contains("add")) {
    for (const auto& word : values["add"].as<Words>()) {
      inputs.push_back(word.substr(0, word.rfind(":/")));
    }
  }
  monitor::require_distinct(inputs, {report});
}

int run_program(const options::variables_map& values, const Words& program, bool on_terminal) {
  monitor::MachineConfig machine = machine_from(values, program);
  check_needs(values, machine);
  auto unpacked = unpack_for(machine);
  if (unpacked) machine.host_root = unpacked->root();
  const monitor::RootTree root = gather_root(values);
  if (machine.argv.empty()) machine.argv = default_shell(machine, root);
  // A program in an image is for the kernel to find, the guest's or, of standalone, the host's.
  if (machine.block_image.empty()) root.check_program(machine.argv[0]);
  machine.root = &root;

  std::optional<monitor::DebugStub> debugger;
  if (values.contains("debug")) {
    machine.debugger = &debugger.emplace(values["debug"].as<std::string>());
  }
  std::optional<monitor::Terminal> terminal;
  if (on_terminal) machine.terminal = &terminal.emplace();
  monitor::Outcome outcome = run_machine(machine);
  if (debugger) debugger->ended(outcome.exit_status);
  terminal.reset();  // what follows is for a terminal as it was
  print_notes(outcome, machine);
  if (values.contains("summary")) print_summary(outcome, machine.config);
  if (values.contains("report")) {
    monitor::write_report(values["report"].as<std::string>(), outcome, machine.config);
  }
  return outcome.exit_status;
}

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
  return run_program(*values, split.program, false);
}

}  // namespace cli
