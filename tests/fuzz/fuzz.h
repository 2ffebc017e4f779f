// What the fuzzers share. Each is an executable fuzz-NAME that takes --seconds S and --seed N,
// makes rounds until the time is up, and ends with 0 or with 1 and what it found. A round's choices
// come from the seed and the round's number alone: --from R makes round R the first, so that what
// is found late in a night is replayed at once. Those that run guests take --on CONFIG, too, in
// place of one after another. Without options ctest's way: TYPETWO_FUZZ_SECONDS
// and TYPETWO_FUZZ_SEED (set by `typetwo test --fuzz`), else a short run from the same seed every
// day.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace fuzz {

using Random = std::mt19937_64;

struct Options {
  double seconds = 50;
  std::uint64_t seed = 1;
  std::uint64_t from = 0;
  std::string on;  // a configuration; empty: all
};

/// Where the guests of a run are: `all`, or what --on says.
inline std::vector<std::string> places(const Options& options,
                                       const std::vector<std::string>& all) {
  return options.on.empty() ? all : std::vector{options.on};
}

inline Options parse(int argc, char** argv) {
  Options options;
  if (const char* text = getenv("TYPETWO_FUZZ_SECONDS")) options.seconds = std::atof(text);
  if (const char* text = getenv("TYPETWO_FUZZ_SEED"))
    options.seed = std::strtoull(text, nullptr, 0);
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    if (i + 1 == argc ||
        (name != "--seconds" && name != "--seed" && name != "--from" && name != "--on")) {
      std::fprintf(stderr, "usage: %s [--seconds S] [--seed N] [--from ROUND] [--on CONFIG]\n",
                   argv[0]);
      std::exit(2);
    }
    const char* value = argv[i + 1];
    if (name == "--seconds") options.seconds = std::atof(value);
    if (name == "--seed") options.seed = std::strtoull(value, nullptr, 0);
    if (name == "--from") options.from = std::strtoull(value, nullptr, 0);
    if (name == "--on") options.on = value;
  }
  return options;
}

/// One run of a fuzzer: its rounds, its counts, its verdict.
class Run {
 public:
  Run(const char* name, const Options& options)
      : name_(name), options_(options), begin_(Clock::now()), round_(options.from) {
    std::printf("fuzz-%s: seed %lu, %g seconds\n", name, options.seed, options.seconds);
    std::fflush(stdout);
  }

  [[nodiscard]] double spent() const {
    return std::chrono::duration<double>(Clock::now() - begin_).count();
  }
  /// There is time for another round, and nothing was found yet.
  [[nodiscard]] bool goes_on() const { return !failed_ && spent() < options_.seconds; }
  [[nodiscard]] double seconds_left() const { return options_.seconds - spent(); }

  [[nodiscard]] std::uint64_t round() const { return round_; }
  void next_round() { ++round_; }
  /// This round's choices, and those of nothing else.
  [[nodiscard]] Random random() const {
    std::seed_seq mixed{options_.seed, options_.seed >> 32, round_, round_ >> 32};
    return Random(mixed);
  }

  /// "attempts", "signals", …: printed at the end.
  std::uint64_t& count(const std::string& what) { return counts_[what]; }

  void fail(const std::string& what) {
    failed_ = true;
    std::printf("fuzz-%s: FAILED in round %lu: %s\n", name_, round_, what.c_str());
    std::printf("fuzz-%s: to replay: fuzz-%s --seed %lu --from %lu\n", name_, name_, options_.seed,
                round_);
    std::fflush(stdout);
  }

  /// Prints the counts; what main returns.
  int end() const {
    std::printf("fuzz-%s: seed %lu, %lu rounds in %.0f s;", name_, options_.seed,
                round_ - options_.from, spent());
    for (const auto& [what, count] : counts_) std::printf(" %s %lu;", what.c_str(), count);
    std::printf(" %s\n", failed_ ? "FAILED" : "nothing found");
    std::fflush(stdout);
    return failed_ ? 1 : 0;
  }

 private:
  using Clock = std::chrono::steady_clock;
  const char* name_;
  Options options_;
  Clock::time_point begin_;
  std::uint64_t round_;
  std::map<std::string, std::uint64_t> counts_;
  bool failed_ = false;
};

}  // namespace fuzz
