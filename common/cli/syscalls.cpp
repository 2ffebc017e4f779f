// typetwo syscalls: the guest kernel's table of system calls, for people, for documents and for
// scripts. It is the very table that the guest kernel dispatches by, compiled into the tool: the
// two cannot differ.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "cli/commands.h"
#include "cli/options.h"
#include "guest/syscall/table.h"
#include "monitor/tool/error.h"
#include "monitor/tool/message.h"

namespace cli {
namespace {

struct Call {
  unsigned number;
  std::string_view name, support, note;
};

std::vector<Call> calls_by_number() {
  std::vector<Call> calls = {
#define X(number, name, support, note) {number, #name, #support, note},
      GUEST_SYSCALLS(X)
#undef X
  };
  std::sort(calls.begin(), calls.end(),
            [](const Call& a, const Call& b) { return a.number < b.number; });
  return calls;
}

std::ptrdiff_t count(const std::vector<Call>& calls, std::string_view support) {
  return std::count_if(calls.begin(), calls.end(),
                       [&](const Call& call) { return call.support == support; });
}

std::string totals(const std::vector<Call>& calls) {
  return fmt::format("{} system calls: {} full, {} partly, {} refused; all others give ENOSYS",
                     calls.size(), count(calls, "full"), count(calls, "partly"),
                     count(calls, "refused"));
}

void print_text(const std::vector<Call>& calls) {
  for (const Call& call : calls) {
    auto line =
        fmt::format("{:>3}  {:<18} {:<8} {}", call.number, call.name, call.support, call.note);
    line.erase(line.find_last_not_of(' ') + 1);
    monitor::print("{}\n", line);
  }
  monitor::print("\n{}\n", totals(calls));
}

void print_markdown(const std::vector<Call>& calls) {
  monitor::print("| number | name | served | note |\n|---:|---|---|---|\n");
  for (const Call& call : calls) {
    monitor::print("| {} | `{}` | {} | {} |\n", call.number, call.name, call.support, call.note);
  }
  monitor::print("\n{}\n", totals(calls));
}

void print_json(const std::vector<Call>& calls) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Call& call : calls) {
    list.push_back({{"number", call.number},
                    {"name", call.name},
                    {"support", call.support},
                    {"note", call.note}});
  }
  const nlohmann::ordered_json whole = {{"full", count(calls, "full")},
                                        {"partly", count(calls, "partly")},
                                        {"refused", count(calls, "refused")},
                                        {"syscalls", list}};
  monitor::print("{}\n", whole.dump(2));
}

const Help help = {"typetwo syscalls [OPTIONS]",
                   "full: as Linux for every argument we know of. partly: the note says what is "
                   "missing.\nrefused: a fixed error, which the note names.\n"};

}  // namespace

int syscalls_main(const Words& words) {
  options::options_description visible("options");
  visible.add_options()("format",
                        options::value<std::string>()->default_value("text")->value_name("FORMAT"),
                        "text, markdown or json");
  auto values = parse(words, visible, help);
  if (!values) return 0;
  const auto format = (*values)["format"].as<std::string>();
  const auto calls = calls_by_number();
  if (format == "text") {
    print_text(calls);
  } else if (format == "markdown") {
    print_markdown(calls);
  } else if (format == "json") {
    print_json(calls);
  } else {
    throw monitor::UsageError(
        fmt::format("--format '{}' is unknown: use text, markdown or json", format));
  }
  return 0;
}

}  // namespace cli
