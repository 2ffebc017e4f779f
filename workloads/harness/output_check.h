// How a workload's output is known to be right. The judge asks, for each launch; a workload's
// specification says which of the ways is its own.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace harness {

/// One of `exact`, `hash` and `program`; none of them: what standalone printed first.
struct OutputCheck {
  std::optional<std::string> exact = {};
  /// hash_of() the output, as results have it.
  std::optional<std::string> hash = {};
  /// On the host, with the output on stdin: exit status 0, or it says what is wrong.
  std::vector<std::string> program = {};
  /// Lines that match one of these (ECMAScript) are left out first.
  std::vector<std::string> ignore = {};

  [[nodiscard]] bool by_standalone() const { return !exact && !hash && program.empty(); }
};

/// FNV-1a, 64 bits, in hexadecimal.
std::string hash_of(const std::string& text);

/// What is wrong with the output, in a line; "": nothing. `reference`: what standalone printed.
std::string check_output(const OutputCheck&, const std::string& out,
                         const std::optional<std::string>& reference);

}  // namespace harness
