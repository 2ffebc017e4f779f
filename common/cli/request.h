// The options that describe a machine (exec, shell), and the request that they make: the one place
// where words become a typed, checked request.
#pragma once

#include <optional>

#include "cli/options.h"
#include "machines/request.h"

namespace cli {

/// --on, --root, --add, --read-only, --env, --publish, --connect, --memory, --fill, --timeout,
/// --cpu, --report, --summary, --account.
void add_machine_options(options::options_description& visible);
/// --strace, --debug, --observe: of exec alone.
void add_watching_options(options::options_description& visible);

/// Of all the words behind `exec`; nothing when they asked for help. Throws as request_from does.
std::optional<machines::Request> exec_request(const Words&);

/// Throws monitor::UsageError for words that make none, and HostError for an image that is none.
machines::Request request_from(const options::variables_map& values, const Words& program);

/// Our options end at "--"; what follows is the program's and not for us to parse.
struct Split {
  Words ours, program;
};
Split split_at_dashes(const Words& words);

/// What `--help` says of the configurations there are, a line for each kind of machine.
std::string config_help();

}  // namespace cli
