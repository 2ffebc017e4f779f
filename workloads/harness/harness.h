// The harness as the command line sees it: `typetwo run` and `typetwo plot`. The command line fills
// the options and returns what the command returns as exit status.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "monitor/machine/fill.h"
#include "monitor/machine/kind.h"

namespace harness {

/// For listings and --help.
struct WorkloadInfo {
  std::string name;              // "null-syscall"
  std::string unit;              // of one sample: "us", "ms", "k/s"
  std::string measures;          // one line
  bool standalone_only = false;  // measures the host itself
  bool in_quick = false;         // part of a quick run that names no workloads
};

std::vector<WorkloadInfo> list_workloads();

/// Name and purpose of the plans that stand in a workload's place, a line each, for --help.
std::string list_named_plans();

enum class Effort {
  quick,  // 5 counted launches, small counts, the configurations that matter: under 5 minutes
  full,   // 11 counted launches, larger counts, each axis moved alone
};

struct RunOptions {
  std::vector<std::string> workloads;    // empty: all; the first may name a plan
  std::vector<monitor::Config> configs;  // empty: each workload's own; standalone is always run
  Effort effort = Effort::quick;
  std::optional<unsigned> runs;                // counted launches of each; at least 1
  std::optional<std::uint64_t> memory_bytes;   // guest RAM; quick: 256 MiB, full: 1 GiB
  monitor::Fill fill = monitor::Fill::before;  // when guest RAM gets the host's memory
  double timeout_seconds = 300;                // of one launch
  std::string out;       // results folder; empty: typetwo-results/<UTC time> in the working folder
  std::string csv;       // also write the summary here; empty: no
  bool account = false;  // guests keep account of their time (exec --account)
  bool figure = true;    // draw figure.svg and figure.png into the results folder
  std::string program;   // the tool that offers `exec`; empty: /proc/self/exe
};

/// Runs, resumes if `out` holds results with the same options, prints the table. 0: every launch
/// did its work right, and CSV and figure are written; 1: some failed; 128 + n: stopped by signal
/// n. Throws monitor::UsageError (unknown workload, results of other options in `out`) and
/// monitor::HostError, for what is missing before the first launch.
int run_command(const RunOptions&);

struct PlotOptions {
  std::vector<std::string> results;  // results folders or files
  std::string out;                   // folder for the figures; empty: next to the first results
};

/// Draws figure.svg and figure.png. Throws like run_command.
int plot_command(const PlotOptions&);

}  // namespace harness
