// Errors a person sees: one line that names the cause, and the remedy. main() prints what() and
// exits with the code.
#pragma once

#include <stdexcept>
#include <string>

namespace monitor {

/// Wrong words on the command line: exit status 2.
struct UsageError : std::runtime_error {
  using runtime_error::runtime_error;
};

/// The host or the input does not allow it: exit status 1 (exec: 125, as env and docker do).
struct HostError : std::runtime_error {
  using runtime_error::runtime_error;
};

/// The program that is to run is not there or cannot be executed: exit status as in every shell.
struct ProgramError : HostError {
  static constexpr int not_executable = 126, not_found = 127;
  ProgramError(int as_status, const std::string& what) : HostError(what), status(as_status) {}
  int status;
};

/// HostError with errno's text appended: "cannot map guest RAM: Cannot allocate memory; REMEDY".
[[noreturn]] void throw_errno(const std::string& what, const std::string& remedy = "");

}  // namespace monitor
