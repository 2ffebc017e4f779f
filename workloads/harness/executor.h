// Executor: starts one launch and brings back all it said. The real one runs `typetwo exec` as a
// process of its own, so that nothing of one launch can touch the next; tests use a made-up one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "monitor/machine/machine_config.h"
#include "results/results.h"

namespace harness {

struct LaunchRequest {
  monitor::Config config;
  std::vector<std::string> argv;
  std::vector<std::pair<std::string, std::string>> add;  // host path, guest path
  std::vector<std::string> env;                          // NAME=VALUE
  std::string image = {};  // the root, read-only; "": the standard files in memory
  std::uint64_t memory_bytes = 0;
  monitor::Fill fill = monitor::Fill::before;
  double timeout_seconds = 0;
  bool account = false;  // of guests
};

struct LaunchResult {
  int status = 0;         // the tool's exit status; 128 + n when signal n killed the tool
  std::string out, err;   // what the program printed, and program and tool on stderr
  bool reported = false;  // the tool delivered an outcome
  monitor::Outcome outcome;
  std::optional<results::CpuShare> cpu;  // of all that the tool started, too
};

class Executor {
 public:
  virtual ~Executor() = default;
  /// Throws Interrupted (interrupts.h) when the harness itself is asked to stop; then nothing of
  /// the launch is left.
  virtual LaunchResult launch(const LaunchRequest&) = 0;
};

/// Runs PROGRAM exec …, all of it on host CPU `cpu` (-1: wherever the host likes).
class ToolExecutor final : public Executor {
 public:
  ToolExecutor(std::string program, int cpu) : program_(std::move(program)), cpu_(cpu) {}
  LaunchResult launch(const LaunchRequest&) override;

 private:
  std::string program_;
  int cpu_;
};

}  // namespace harness
