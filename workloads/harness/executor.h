// Executor: starts one launch and brings back all it said. The real one runs `typetwo exec` as a
// process of its own, so that nothing of one launch can touch the next; tests use a made-up one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "machines/request.h"
#include "monitor/machine/machine_config.h"
#include "results/results.h"

namespace harness {

struct LaunchResult {
  int status = 0;         // the tool's exit status; 128 + n when signal n killed the tool
  std::string out, err;   // what the program printed, and program and tool on stderr
  bool reported = false;  // the tool delivered an outcome
  monitor::Outcome outcome;
  std::optional<results::CpuShare> cpu;  // of all that the tool started, too
  std::string client_problem;            // of the client on the host (client.h); empty: none
};

class Executor {
 public:
  virtual ~Executor() = default;
  /// The request has a limit of time, and leaves the report to the executor. Throws Interrupted
  /// (interrupts.h) when the harness itself is asked to stop; then nothing of the launch is left.
  virtual LaunchResult launch(const machines::Request&) = 0;
};

/// Runs PROGRAM exec …, all of it on host CPU `cpu` (-1: wherever the host likes).
class ToolExecutor final : public Executor {
 public:
  ToolExecutor(std::string program, int cpu) : program_(std::move(program)), cpu_(cpu) {}
  LaunchResult launch(const machines::Request&) override;

 private:
  std::string program_;
  int cpu_;
};

}  // namespace harness
