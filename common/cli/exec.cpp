// typetwo exec: one program, one machine.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "cli/commands.h"
#include "cli/request.h"
#include "cli/run_request.h"
#include "monitor/tool/error.h"

namespace cli {

using monitor::UsageError;

namespace {

Help help() {
  return {"typetwo exec [OPTIONS] -- PROGRAM [ARGS]...", config_help() + R"(
--root takes a folder, which is copied into guest memory, or an ext2 image (typetwo image makes one).
standalone runs an image's files from IMAGE.tree beside it, unpacked at first use and never changed;
what the program writes goes to that file system, too, and is dropped at the end.
Without --root the guest has /bin/busybox, /bin/sh, /workloads, /etc/passwd, /tmp and /dev.
An interactive shell on a terminal has it to itself, as by typetwo shell.
Exit status: the program's; 128+n when signal n killed it; 124 after --timeout; 125 when the machine
itself failed; 126 for a program that cannot be executed, 127 for one that is not there; 2 for wrong
options.

  typetwo exec --on baseline -- /bin/busybox sh -c 'ls / | wc -l'
)"};
}

}  // namespace

std::optional<machines::Request> exec_request(const Words& words) {
  const Split split = split_at_dashes(words);
  options::options_description visible("options");
  add_machine_options(visible);
  add_watching_options(visible);
  const auto values = parse(split.ours, visible, help(), "words");
  if (!values) return std::nullopt;
  if (values->contains("words")) {
    const auto& first = (*values)["words"].as<Words>().front();
    throw UsageError(
        fmt::format("'{0}' comes before any --: write typetwo exec [OPTIONS] -- {0} ...", first));
  }
  if (split.program.empty()) {
    throw UsageError("no program: write it after --, as in typetwo exec -- /bin/busybox ls");
  }
  return request_from(*values, split.program);
}

namespace {

/// "sh", "bash -l", "busybox ash -i": a shell that reads its commands from stdin.
bool is_interactive_shell(const Words& program) {
  const auto name = [&](std::size_t i) {
    return i < program.size() ? program[i].substr(program[i].rfind('/') + 1) : "";
  };
  const std::size_t shell = name(0) == "busybox" ? 1 : 0;
  constexpr std::string_view shells[] = {"sh", "ash", "dash", "bash"};
  if (std::find(std::begin(shells), std::end(shells), name(shell)) == std::end(shells))
    return false;
  return std::all_of(program.begin() + static_cast<std::ptrdiff_t>(shell) + 1, program.end(),
                     [](const std::string& word) { return word == "-i" || word == "-l"; });
}

/// It edits lines itself: a host's terminal that did so, too, would echo what the terminal answers.
bool wants_terminal(const machines::Request& request) {
  return request.on.is_guest() && is_interactive_shell(request.program) &&
         isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

}  // namespace

int exec_main(const Words& words) {
  const auto request = exec_request(words);
  return request ? run_request(*request, wants_terminal(*request)) : 0;
}

}  // namespace cli
