// Running the tool as a user does: a child with its own stdin, stdout and stderr, all of them
// collected, never waited for beyond a deadline. For conformance, hostile and integration tests.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "monitor/machine/machine_config.h"

namespace support {

struct ToolRun {
  int status = -1;      // exit status; 128 + n when signal n killed the tool itself
  bool in_time = true;  // false: killed at the deadline
  std::string out, err;

  /// For failure messages: all that is known.
  [[nodiscard]] std::string describe() const;
};

struct Options {
  std::string input;             // stdin, through a pipe
  bool close_stdout = false;     // nobody reads stdout: writing meets EPIPE
  unsigned closed = 0;           // bit n: the tool starts with descriptor n closed
  bool fixed_addresses = false;  // no randomisation of addresses (native hostile programs)
  std::chrono::seconds deadline{150};
};

/// Runs the tool with these words after its name.
ToolRun run_tool(const std::vector<std::string>& words, const Options& options = {});

/// `typetwo exec --on PLACE [more options] -- program`.
ToolRun exec(const std::string& place, const std::vector<std::string>& program,
             const std::vector<std::string>& more = {}, const Options& options = {});

/// The same, with a report.
struct Reported {
  ToolRun run;
  monitor::Outcome outcome;
};
Reported exec_reported(const std::string& place, const std::vector<std::string>& program,
                       std::vector<std::string> more = {}, const Options& options = {});

/// Every point at which guests are tested; the first one is the oracle.
const std::vector<std::string>& places();
const std::vector<std::string>& guest_places();
/// All points of both VMMs' axes, and those that promise protection.
const std::vector<std::string>& every_point();
const std::vector<std::string>& protected_points();

/// "baseline:trap=sysemu" as a test's name may have it.
std::string test_name(std::string text);

/// In a forked child: the tool takes over. The tests may have been started by nohup or in the
/// background, so whatever signals they ignore or block, the tool does not.
[[noreturn]] void become_tool(const std::vector<std::string>& words);

/// A started tool, for tests that end it.
pid_t start_tool(const std::vector<std::string>& words, int stdout_fd, int stderr_fd = -1,
                 int stdin_fd = -1);

/// The tool itself.
std::string tool_path();

/// Where guest programs of the tests were built.
std::string program(const std::string& topic);

}  // namespace support
