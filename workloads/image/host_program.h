// Runs one of the host's own programs (dpkg-query, mke2fs, ldconfig) and collects what it says. For
// the rest of this folder; nothing here is ever run by a shell. The harness runs what prepares and
// checks workloads.
#pragma once

#include <string>
#include <vector>

namespace image {

struct ProgramRun {
  int status = 127;  // exit status; 127: could not be started; 128 + n: signal n
  std::string out, err;
};

/// A name without a slash is looked up where the system's programs are. `env` is added to our own
/// environment, which loses its locale: the words stay English. The program reads `input`.
ProgramRun run_program(const std::vector<std::string>& words,
                       const std::vector<std::string>& env = {}, const std::string& input = "");

/// stdout of a run that must succeed. Otherwise HostError, with what the program said and `remedy`.
std::string require_program(const std::vector<std::string>& words, const std::string& remedy,
                            const std::vector<std::string>& env = {});

}  // namespace image
