// typetwo shell: an interactive guest shell on this terminal. The host's terminal is raw while it
// runs, so that line editing, job control and Ctrl-C are the guest's own.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "cli/commands.h"
#include "cli/request.h"
#include "cli/run_request.h"
#include "monitor/tool/error.h"

namespace cli {

using monitor::UsageError;

namespace {

const Help help = {"typetwo shell [OPTIONS] [-- PROGRAM [ARGS]...]",
                   R"(Without a PROGRAM it is /bin/bash where the root tree has it, else /bin/sh.
The guest has the terminal to itself: Ctrl-C, Ctrl-Z, Ctrl-\ and Ctrl-D go to the guest's programs.
Leave with exit or Ctrl-D; from outside, end the tool by a signal: the terminal is restored.

  typetwo shell --on baseline
  typetwo shell --on extended --root ./my-root
)"};

/// What an interactive shell expects to find. --env can say otherwise.
constexpr const char* usual_path =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

bool names(const Words& environment, std::string_view name) {
  return std::any_of(environment.begin(), environment.end(), [&](const std::string& word) {
    return word.compare(0, name.size(), name) == 0 && word.size() > name.size() &&
           word[name.size()] == '=';
  });
}

void add_usual(Words& environment) {
  const char* term = std::getenv("TERM");
  if (!names(environment, "PATH")) environment.emplace_back(usual_path);
  if (!names(environment, "HOME")) environment.emplace_back("HOME=/");
  if (!names(environment, "TERM"))
    environment.push_back(fmt::format("TERM={}", term ? term : "dumb"));
}

}  // namespace

int shell_main(const Words& words) {
  Split split = split_at_dashes(words);
  options::options_description visible("options");
  add_machine_options(visible);
  auto values = parse(split.ours, visible, help, "words");
  if (!values) return 0;
  if (values->contains("words")) {
    throw UsageError(fmt::format("'{}' belongs to no option: a program comes after --",
                                 (*values)["words"].as<Words>().front()));
  }
  machines::Request request = request_from(*values, split.program);
  if (!request.on.is_guest()) {
    throw UsageError(fmt::format("{} is {}: use your own shell, or --on extended",
                                 request.on.kind->name, request.on.kind->about));
  }
  if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0) {
    throw UsageError(
        "stdin and stdout must be a terminal: for scripts use typetwo exec -- /bin/sh SCRIPT");
  }
  add_usual(request.environment);
  return run_request(request, true);
}

}  // namespace cli
