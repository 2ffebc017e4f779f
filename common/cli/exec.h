// What typetwo exec and typetwo shell share: the options that describe a machine, and running it.
#pragma once

#include "cli/options.h"
#include "monitor/tool/terminal.h"

namespace cli {

/// --on, --root, --add, --read-only, --env, --memory, --timeout, --cpu, --report, --summary,
/// --account.
void add_machine_options(options::options_description& visible);

/// One program, one machine, as the options say. With a terminal the guest has it to itself, raw,
/// as long as it runs. Returns the exit status.
int run_program(const options::variables_map& values, const Words& program, bool on_terminal);

/// Our options end at "--"; what follows is the program's and not for us to parse.
struct Split {
  Words ours, program;
};
Split split_at_dashes(const Words& words);

}  // namespace cli
