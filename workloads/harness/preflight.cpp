// First what is only looked at, then what leaves a folder behind.
#include "workloads/harness/preflight.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "machines/kinds.h"
#include "monitor/host/check.h"
#include "monitor/root/tree.h"
#include "monitor/tool/error.h"
#include "monitor/tool/output_file.h"
#include "plots/plots.h"
#include "workloads/image/root_image.h"

namespace harness {
namespace {

namespace fs = std::filesystem;

// Measured: a launch takes 3 KiB of results, a figure 170 KiB; accounts of time come on top.
constexpr std::uint64_t launch_bytes = 8 << 10;
constexpr std::uint64_t figure_bytes = 512 << 10;
constexpr std::uint64_t csv_bytes = 64 << 10;

void check_program(const Workload& workload, Effort effort) {
  const Work work = make_work(workload, machines::standalone(), effort);
  auto root = monitor::RootTree::standard();
  for (const auto& [host, guest] : work.add) {
    const bool later = workload.files.at(guest).find("{prepared}") != std::string::npos;
    if (!later) root.add(host, guest);
  }
  root.check_program(work.argv.front());
}

void check_host(const Plan& plan) {
  std::vector<monitor::Config> seen;
  for (const Slot& slot : make_schedule(plan)) {
    if (std::find(seen.begin(), seen.end(), slot.config) != seen.end()) continue;
    seen.push_back(slot.config);
    monitor::require_host_for(slot.config, plan.memory_bytes);
  }
}

void check_outputs(const RunOptions& options, const std::string& folder, std::size_t launches) {
  monitor::make_folder(folder);
  const auto results = fs::path(folder) / results::file_name;
  monitor::OutputFile::check(results, launches * launch_bytes + figure_bytes + csv_bytes);
  std::vector<std::string> outputs = {results};
  if (options.figure) {
    for (const auto& path : plots::figure_paths(folder, figure_name)) {
      monitor::OutputFile::check(path, figure_bytes);
      outputs.push_back(path);
    }
  }
  if (!options.csv.empty()) {
    monitor::OutputFile::check(options.csv, csv_bytes);
    outputs.push_back(options.csv);
  }
  monitor::require_distinct({}, outputs);
}

}  // namespace

std::string program_of(const RunOptions& options) {
  return options.program.empty() ? "/proc/self/exe" : options.program;
}

void check_run(const Plan& plan, const RunOptions& options, const std::string& folder) {
  check_host(plan);
  for (const Workload* workload : plan.workloads) {
    if (!workload->from_image) check_program(*workload, plan.effort);
  }
  const std::string program = program_of(options);
  if (access(program.c_str(), X_OK) != 0) monitor::throw_errno("cannot run " + program);
  if (options.figure) {
    try {
      plots::require_gnuplot();
    } catch (const monitor::HostError& error) {
      throw monitor::HostError(fmt::format("{}, or give --no-figure", error.what()));
    }
  }
  check_outputs(options, folder, make_schedule(plan).size());
}

void check_image(const Plan& plan) {
  for (const Workload* workload : plan.workloads) {
    if (!workload->from_image) continue;
    const std::string program =
        make_work(*workload, machines::standalone(), plan.effort).argv.front();
    const std::string image = plan.image_of(*workload);
    if (image::has_file(image, program)) continue;
    throw monitor::HostError(
        fmt::format("{} is not in {}, which {} needs: remove the image, and "
                    "it is made again",
                    program, image, workload->info.name));
  }
}

}  // namespace harness
