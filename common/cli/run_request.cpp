// What exec and shell do once they know what is wanted; top to bottom, and never back: host check,
// root, machine, outcome, report.
#include "cli/run_request.h"

#include <exception>
#include <optional>

#include "cli/summary.h"
#include "monitor/gdb/debug_stub.h"
#include "monitor/host/check.h"
#include "monitor/machine/machine_config.h"
#include "monitor/machine/outcome_json.h"
#include "monitor/root/tree.h"
#include "monitor/tool/output_file.h"
#include "monitor/tool/terminal.h"
#include "workloads/image/root_image.h"
#include "workloads/image/unpacked_image.h"

namespace cli {
namespace {

using machines::Request;
using machines::Words;

/// What the run will need at its end is looked at first.
void check_report(const Request& request) {
  if (request.report.empty()) return;
  constexpr std::uint64_t report_bytes = 64 << 10;
  monitor::OutputFile::check(request.report, report_bytes);
  Words inputs;
  if (request.root_is_image) inputs.push_back(request.root);
  for (const auto& one : request.add) inputs.push_back(one.host_path);
  monitor::require_distinct(inputs, {request.report});
}

/// Files in memory. A guest with a disk has only /dev, /proc and /tmp from here, beside the disk.
monitor::RootTree gather_files(const Request& request) {
  if (request.root_is_image) return monitor::RootTree::system_folders();
  auto files = request.root.empty() ? monitor::RootTree::standard()
                                    : monitor::RootTree::from_directory(request.root);
  for (const auto& one : request.add) files.add(one.host_path, one.guest_path);
  return files;
}

/// The files of the machine, from wherever they come; they live as long as it runs.
struct Root {
  explicit Root(const Request& request) : files(gather_files(request)) {
    // Guests read an image themselves.
    if (request.root_is_image && !request.on.is_guest()) unpacked.emplace(request.root);
  }
  monitor::RootTree files;
  std::optional<image::UnpackedImage> unpacked;
};

/// The program of a shell that names none.
Words default_shell(const Request& request, const Root& root) {
  const auto in_files = [&] {
    try {
      root.files.check_program("/bin/bash");
      return true;
    } catch (const std::exception&) {
      return false;
    }
  };
  const bool has_bash =
      request.root_is_image ? image::has_file(request.root, "/bin/bash") : in_files();
  return {has_bash ? "/bin/bash" : "/bin/sh", "-l"};
}

monitor::MachineConfig machine_for(const Request& request, const Root& root) {
  monitor::MachineConfig machine{.config = request.on};
  machine.root = &root.files;
  if (request.root_is_image) machine.block_image = request.root;
  machine.block_read_only = request.read_only;
  if (root.unpacked) machine.host_root = root.unpacked->root();
  machine.argv = request.program.empty() ? default_shell(request, root) : request.program;
  machine.env = request.environment;
  machine.outside = request.outside;
  machine.memory_bytes = request.memory_bytes;
  machine.fill = request.fill;
  machine.timeout_seconds = request.timeout_seconds;
  if (request.cpu) machine.cpu = *request.cpu;
  machine.trace_syscalls = request.strace;
  machine.account = request.account;
  machine.observe = request.observe;
  // A program in an image is for the kernel to find, the guest's or, of standalone, the host's.
  if (!request.root_is_image) root.files.check_program(machine.argv[0]);
  return machine;
}

monitor::Outcome run(monitor::MachineConfig machine, const Request& request, bool on_terminal) {
  std::optional<monitor::DebugStub> debugger;
  if (!request.debug.empty()) machine.debugger = &debugger.emplace(request.debug);
  std::optional<monitor::Terminal> terminal;
  if (on_terminal) machine.terminal = &terminal.emplace();
  monitor::Outcome outcome = machine.config.kind->run(machine);
  if (debugger) debugger->ended(outcome.exit_status);
  return outcome;
}

void report(const Request& request, const monitor::Outcome& outcome) {
  print_notes(outcome, request.timeout_seconds);
  if (request.summary) print_summary(outcome, request.on);
  if (!request.report.empty()) monitor::write_report(request.report, outcome, request.on);
}

}  // namespace

int run_request(const Request& request, bool on_terminal) {
  monitor::require_host_for(request.on, request.memory_bytes);
  check_report(request);
  const Root root(request);
  const monitor::Outcome outcome = run(machine_for(request, root), request, on_terminal);
  report(request, outcome);
  return outcome.exit_status;
}

}  // namespace cli
