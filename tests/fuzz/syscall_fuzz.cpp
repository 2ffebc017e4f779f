// fuzz-syscall: random system calls in guests, at every point of both VMMs' axes, each third round
// watched by the observer. A round is one guest (syscall_program.cpp): it must end by itself and
// say that it still answers, and no host call but the allowed ones may have been made. Prints how
// often each call was made and how it ended. What a round does depends on time, too (signals,
// blocking): a replay makes the same calls, but may not meet the same moment.
#include <fmt/format.h>

#include <array>
#include <sstream>

#include "monitor/machine/syscall_names.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/system_calls.h"
#include "tests/support/tool.h"

namespace {

using Tally = std::array<std::uint64_t, 6>;  // made, ok, EFAULT, EINVAL, ENOSYS, other
using Tallies = std::map<std::uint64_t, Tally>;

constexpr double seconds_a_round = 4;

/// The guest program's lines; false when it did not get to its last one.
bool collect(const std::string& out, fuzz::Run& run, Tallies& tallies) {
  std::istringstream lines(out);
  std::string line, word;
  bool answers = false;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    words >> word;
    std::uint64_t number = 0;
    if (word == "answers") answers = true;
    if (word == "episodes") {
      words >> number;
      run.count("episodes") += number;
      while (words >> word >> number) run.count("workers " + word) += number;
    }
    if (word != "call" || !(words >> number)) continue;
    for (std::uint64_t i = 0, more = 0; i < 6 && words >> more; ++i) {
      tallies[number][i] += more;
      if (i == 0) run.count("calls") += more;
    }
  }
  return answers;
}

void check(const support::Reported& guest, bool observed, fuzz::Run& run, Tallies& tallies) {
  const bool answers = collect(guest.run.out, run, tallies);
  if (guest.run.status != 0 || !answers || !guest.outcome.failure.empty())
    run.fail(guest.outcome.failure + "\n" + guest.run.describe());
  if (observed && guest.outcome.observed.empty()) run.fail("the observer saw nothing");
  for (const auto& call : guest.outcome.observed) {
    run.count("host calls observed") += call.count;
    if (!call.allowed)
      run.fail(fmt::format("host call {} at {:#x}: {:#x}", call.number, call.ip,
                           fmt::join(call.arguments, " ")));
  }
}

void round(fuzz::Run& run, const std::vector<std::string>& points, std::uint64_t seed,
           Tallies& tallies) {
  const auto& place = points[run.round() % points.size()];
  const bool unprotected = place.find("none") != place.npos;
  const bool observed = run.round() / points.size() % 3 == 2 && !unprotected;
  std::vector<std::string> words = {
      "--memory", "64M",   "--timeout",
      "100",      "--add", support::program("syscall_program") + ":/test/syscall"};
  if (observed) words.emplace_back("--observe");
  if (unprotected) words.insert(words.end(), {"--env", "UNPROTECTED=1"});
  const auto guest = support::exec_reported(
      place,
      {"/test/syscall", "--helper", std::to_string(seed), std::to_string(run.round() * 100'000),
       fmt::format("{}", std::min(seconds_a_round, run.seconds_left()))},
      words);
  check(guest, observed, run, tallies);
  std::printf("%-45s %8lu calls so far\n", place.c_str(), run.count("calls"));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const fuzz::Options options = fuzz::parse(argc, argv);
  fuzz::Run run("syscall", options);
  Tallies tallies;
  const auto places = fuzz::places(options, support::every_point());
  for (; run.goes_on(); run.next_round()) round(run, places, options.seed, tallies);
  std::printf("%-24s %9s %9s %8s %8s %8s %8s\n", "call", "made", "ok", "EFAULT", "EINVAL", "ENOSYS",
              "other");
  for (const auto& [number, t] : tallies) {
    const std::string name =
        number > fuzz::highest_number ? "higher numbers" : monitor::syscall_name(number);
    std::printf("%-24s %9lu %9lu %8lu %8lu %8lu %8lu\n", name.c_str(), t[0], t[1], t[2], t[3], t[4],
                t[5]);
  }
  return run.end();
}
