// A guest that runs beside a test: a shell script in it, the tool as a child of the test. For tests
// that look at a running machine's processes, send them signals or end them.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/support/process_list.h"

namespace support {

class StartedGuest {
 public:
  /// Returns once the script has said "ready".
  StartedGuest(const std::string& place, const std::string& script);
  ~StartedGuest();
  StartedGuest(const StartedGuest&) = delete;
  StartedGuest& operator=(const StartedGuest&) = delete;

  [[nodiscard]] std::vector<Process> processes() const { return descendants(tool_); }
  [[nodiscard]] pid_t tool() const { return tool_; }
  /// Has the tool not ended yet?
  [[nodiscard]] bool runs() const;
  /// Lets the script's `read` go on.
  void tell() const;
  /// Sends the tool a signal that ends it: its wait status.
  int end_by(int signal);
  /// To the end: the tool's exit status.
  int status();
  /// stdout and stderr.
  [[nodiscard]] const std::string& said() const { return said_; }

 private:
  bool read_some();

  int ends_[2]{}, input_[2]{};
  pid_t tool_ = -1;
  std::string said_;
};

}  // namespace support
