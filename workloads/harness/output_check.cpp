// The ways to judge an output, each a function of text.
#include "workloads/harness/output_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <regex>
#include <sstream>

#include "workloads/image/host_program.h"

namespace harness {
namespace {

std::string without_ignored(const std::vector<std::string>& patterns, const std::string& text) {
  if (patterns.empty()) return text;
  std::vector<std::regex> ignored(patterns.begin(), patterns.end());
  std::istringstream in(text);
  std::string kept;
  for (std::string line; std::getline(in, line);) {
    const auto matches = [&](const std::regex& regex) { return std::regex_search(line, regex); };
    if (std::none_of(ignored.begin(), ignored.end(), matches)) kept += line + "\n";
  }
  return kept;
}

std::string compare(const std::string& out, const std::string& expected) {
  if (out == expected) return "";
  const auto differs = std::mismatch(out.begin(), out.end(), expected.begin(), expected.end());
  const auto line = 1 + std::count(out.begin(), differs.first, '\n');
  return fmt::format("wrong output, from line {} on ({} bytes instead of {})", line, out.size(),
                     expected.size());
}

std::string ask(const std::vector<std::string>& program, const std::string& out) {
  const image::ProgramRun run = image::run_program(program, {}, out);
  if (run.status == 0) return "";
  const std::string said = run.err.empty() ? run.out : run.err;
  return fmt::format("wrong output, says {} ({}): {}", program.front(), run.status,
                     said.substr(0, said.find('\n')));
}

}  // namespace

std::string hash_of(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return fmt::format("{:016x}", hash);
}

std::string check_output(const OutputCheck& check, const std::string& out,
                         const std::optional<std::string>& reference) {
  const std::string seen = without_ignored(check.ignore, out);
  if (!check.program.empty()) return ask(check.program, seen);
  if (check.hash) {
    const std::string hash = hash_of(seen);
    if (hash == *check.hash) return "";
    return fmt::format("wrong output: its hash is {} instead of {}", hash, *check.hash);
  }
  if (check.exact) return compare(seen, *check.exact);
  if (!reference) return "no correct standalone launch to compare the output with";
  return compare(seen, without_ignored(check.ignore, *reference));
}

}  // namespace harness
