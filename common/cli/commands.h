// The subcommands, as main() dispatches them: each parses its own words, does its work and returns
// the tool's exit status. They throw monitor::UsageError and monitor::HostError.
#pragma once

#include <string>
#include <vector>

namespace cli {

using Words = std::vector<std::string>;

int exec_main(const Words&);
int run_main(const Words&);
int plot_main(const Words&);
int claims_main(const Words&);
int image_main(const Words&);
int shell_main(const Words&);
int syscalls_main(const Words&);
int doctor_main(const Words&);

}  // namespace cli
