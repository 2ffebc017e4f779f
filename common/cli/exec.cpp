// typetwo exec: one program, one machine.
#include <fmt/format.h>

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

int exec_main(const Words& words) {
  const auto request = exec_request(words);
  return request ? run_request(*request, false) : 0;
}

}  // namespace cli
