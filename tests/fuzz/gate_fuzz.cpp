// The gate fuzzer: gate_program in every configuration that promises protection, in turn, every
// second time with the observer watching, every third with accounts of time (another gate). The
// program judges what it can see; here: that the machine lives, and made no host call but allowed
// ones. A walk over all bytes and flags is complete, in one configuration, after some 180 000
// attempts.
#include <fmt/format.h>

#include "tests/fuzz/fuzz.h"
#include "tests/support/tool.h"
#include "vmi/address_map.h"

namespace {

using support::protected_points;

struct Round {
  std::string place;
  bool observed, with_accounts;
  std::uint64_t turn;  // of this configuration
};

Round round_of(std::uint64_t number, const std::vector<std::string>& places) {
  const std::uint64_t turn = number / places.size();
  return {places[number % places.size()], turn % 2 == 0, turn % 3 == 2, turn};
}

/// Attempts of one turn: a second or two of each.
std::uint64_t attempts_at(const Round& round) {
  if (round.place.starts_with("baseline")) return 1000;
  return round.observed ? 2000 : 10'000;
}

support::Reported run(const Round& round, std::uint64_t seed, std::uint64_t first,
                      std::uint64_t count, bool talk) {
  std::vector<std::string> words = {
      "--memory", "64M",   "--timeout",
      "120",      "--add", support::program("gate_program") + ":/test/gate_program"};
  if (talk) words.insert(words.end(), {"--env", "GATE_TALK=1"});
  if (round.observed) words.emplace_back("--observe");
  if (round.with_accounts) words.emplace_back("--account");
  return support::exec_reported(round.place,
                                {"/test/gate_program", fmt::format("{}", seed),
                                 fmt::format("{}", first), fmt::format("{}", count)},
                                words);
}

/// Empty: all is well.
std::string what_is_wrong(const support::Reported& guest) {
  if (guest.run.status != 0 || !guest.outcome.failure.empty()) return guest.run.describe();
  for (const auto& call : guest.outcome.observed) {
    const bool in_window = call.ip >= vmi::window_base && call.ip < vmi::window_end;
    if (!call.allowed || (!call.in_kernel && in_window))
      return fmt::format("host call {} at {:#x}, arguments {:#x} {:#x} {:#x}, {} times",
                         call.number, call.ip, call.arguments[0], call.arguments[1],
                         call.arguments[2], call.count);
  }
  return "";
}

/// "attempts 10 signals 9 …" of the program's last line.
void add_counts(fuzz::Run& fuzzer, const std::string& out) {
  const char* at = std::strstr(out.c_str(), "counts:");
  char name[40];
  unsigned long value;
  for (int used = 0;
       at && std::sscanf(at += used ? used : 7, " %39s %lu%n", name, &value, &used) == 2;)
    fuzzer.count(name) += value;
}

/// Where the machine died, the batch again with each attempt said before it is made.
std::string last_words(const Round& round, std::uint64_t seed, const std::string& err,
                       std::uint64_t end) {
  const std::size_t at = err.rfind("at ");
  if (at == std::string::npos) return "";
  const std::uint64_t first = std::strtoull(err.c_str() + at + 3, nullptr, 10);
  const auto again = run(round, seed, first, std::min<std::uint64_t>(500, end - first), true).run;
  return "\nthe last attempts before it, again:\n" +
         again.err.substr(again.err.size() - std::min<std::size_t>(again.err.size(), 1500));
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = fuzz::parse(argc, argv);
  const auto places = fuzz::places(options, protected_points());
  fuzz::Run fuzzer("gate", options);
  for (; fuzzer.goes_on(); fuzzer.next_round()) {
    const Round round = round_of(fuzzer.round(), places);
    const std::uint64_t count = attempts_at(round), first = round.turn * count;
    const auto guest = run(round, options.seed, first, count, false);
    add_counts(fuzzer, guest.run.out);
    for (const auto& call : guest.outcome.observed)
      fuzzer.count("host calls observed") += call.count;
    const std::string wrong = what_is_wrong(guest);
    if (!wrong.empty())
      fuzzer.fail(round.place + ": " + wrong +
                  last_words(round, options.seed, guest.run.err, first + count));
  }
  return fuzzer.end();
}
