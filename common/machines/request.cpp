// Called by the harness. The tests hold it against what the command line makes of the words.
#include "machines/request.h"

#include <fmt/format.h>

namespace machines {

Words to_words(const Request& request) {
  Words words = {"exec"};
  const auto option = [&](const char* name, const std::string& value) {
    words.insert(words.end(), {name, value});
  };
  const auto flag = [&](const char* name, bool given) {
    if (given) words.emplace_back(name);
  };
  option("--on", request.on.name());
  if (!request.root.empty()) option("--root", request.root);
  flag("--read-only", request.read_only);
  for (const Addition& one : request.add) option("--add", one.host_path + ":" + one.guest_path);
  for (const std::string& variable : request.environment) option("--env", variable);
  for (const auto& one : request.outside.publish) option("--publish", one.words);
  for (const auto& one : request.outside.connect) option("--connect", one.words);
  option("--memory", fmt::format("{}", request.memory_bytes));
  option("--fill", monitor::word_of(request.fill));
  if (request.timeout_seconds) option("--timeout", fmt::format("{}", *request.timeout_seconds));
  if (request.cpu) option("--cpu", fmt::format("{}", *request.cpu));
  flag("--account", request.account);
  flag("--strace", request.strace);
  flag("--observe", request.observe);
  flag("--summary", request.summary);
  if (!request.report.empty()) option("--report", request.report);
  if (!request.debug.empty()) option("--debug", request.debug);
  words.emplace_back("--");
  words.insert(words.end(), request.program.begin(), request.program.end());
  return words;
}

}  // namespace machines
