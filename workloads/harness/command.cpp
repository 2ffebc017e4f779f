// `typetwo run` and `typetwo plot`, from options to exit status.
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <map>
#include <string_view>

#include "monitor/tool/error.h"
#include "monitor/tool/message.h"
#include "monitor/tool/output_file.h"
#include "plots/plots.h"
#include "workloads/harness/context.h"
#include "workloads/harness/harness.h"
#include "workloads/harness/interrupts.h"
#include "workloads/harness/ladder_report.h"
#include "workloads/harness/preflight.h"
#include "workloads/harness/preparation.h"
#include "workloads/harness/report.h"
#include "workloads/harness/run.h"
#include "workloads/image/image.h"
#include "workloads/image/root_image.h"
#include "workloads/image/unpacked_image.h"

namespace harness {
namespace {

namespace fs = std::filesystem;

/// Does stderr understand more than text?
bool is_terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

/// One line on stderr, rewritten in place, when stderr is a terminal; failures always.
class Progress {
 public:
  explicit Progress(const Plan& plan) : fills_first_(plan.fill == monitor::Fill::before) {}

  Watcher watcher() {
    Watcher watcher;
    watcher.launching = [this](const Slot& slot, std::size_t done, std::size_t all) {
      show(slot, done, all);
    };
    watcher.failed = [this](const Slot& slot, const results::Launch& launch) {
      clear();
      monitor::say("failed: {} on {}, {}: {}\n", launch.workload, launch.config,
                   slot.warmup() ? "warm-up" : fmt::format("round {}", slot.round), launch.problem);
      if (!launch.stderr_tail.empty()) monitor::say("{}\n", launch.stderr_tail);
    };
    watcher.repeating = [this](const Slot&, const results::Launch& launch) {
      clear();
      monitor::say("disturbed: {} on {}: others had the CPU for {:.0f} of {:.0f} ms; once more\n",
                   launch.workload, launch.config, launch.cpu->taken_seconds() * 1000,
                   launch.cpu->elapsed_seconds * 1000);
    };
    return watcher;
  }
  void clear() const {
    if (terminal_) monitor::say("\r\033[K");
  }

 private:
  void show(const Slot& slot, std::size_t done, std::size_t all) const {
    if (!terminal_) return;
    const double elapsed = std::difftime(std::time(nullptr), started_);
    const std::string left =
        done < 5 ? ""
                 : fmt::format(", about {:.0f} s left", elapsed / static_cast<double>(done) *
                                                            static_cast<double>(all - done));
    monitor::say("\r\033[K[{}/{}] {} on {}{}{}{}", done + 1, all, slot.workload->info.name,
                 slot.config_name(), slot.warmup() ? ", warm-up" : "",
                 fills_first_ && slot.config.is_guest() ? ", once its RAM is filled" : "", left);
    std::fflush(stderr);
  }

  const bool fills_first_;  // guests' RAM, which takes its time before they start
  bool terminal_ = is_terminal();
  std::time_t started_ = std::time(nullptr);
};

/// While one lives, the harness stays on the first allowed CPU and leaves the last to the guests.
class OwnCpu {
 public:
  OwnCpu() {
    const auto cpus = allowed_cpus();
    if (cpus.empty() || sched_getaffinity(0, sizeof previous_, &previous_) != 0) return;
    guest_cpu_ = cpus.back();
    if (cpus.size() == 1) return;
    cpu_set_t own;
    CPU_ZERO(&own);
    CPU_SET(cpus.front(), &own);
    changed_ = sched_setaffinity(0, sizeof own, &own) == 0;
  }
  ~OwnCpu() {
    if (changed_) sched_setaffinity(0, sizeof previous_, &previous_);
  }
  OwnCpu(const OwnCpu&) = delete;
  OwnCpu& operator=(const OwnCpu&) = delete;
  [[nodiscard]] int guest_cpu() const { return guest_cpu_; }

 private:
  cpu_set_t previous_;
  int guest_cpu_ = -1;
  bool changed_ = false;
};

std::string default_folder() {
  const auto stamp = fmt::format("{}", utc_now());
  std::string folder = "typetwo-results/";
  for (const char c : stamp) folder += c == ':' ? '-' : c;
  return folder;
}

/// What the file holds, for people. Returns how many launches failed.
std::size_t print_table(const results::File& file, const results::Summary& summary) {
  const bool ladder = file.header.options.value("plan", "") == "ladder";
  monitor::print("{}\n{}{}", ladder ? ladder_table(summary) : table(summary),
                 ladder ? ladder_verdicts(summary) : "", facts(file, summary));
  for (const Warning& warning : find_warnings(file, summary)) {
    monitor::print("Warning: {}{}{}\n", warning.text,
                   warning.remedy.empty() ? "" : "; remedy: ", warning.remedy);
  }
  std::size_t failed = 0;
  for (const auto& launch : file.launches) failed += !launch.ok();
  if (failed > 0) {
    monitor::print("{} of {} launches FAILED; {} says why\n", failed, file.launches.size(),
                   file.path);
  }
  monitor::print("Results: {}\n", file.path);
  return failed;
}

void print_figures(const std::vector<std::string>& paths) {
  for (const auto& path : paths) monitor::print("Figure: {}\n", path);
}

/// All that was asked of a run's results; one that fails does not stop the others. Files come
/// first: who reads the table may stop reading. Returns the exit status.
int deliver(const std::string& path, const std::string& folder, const RunOptions& options) {
  const results::File file = results::read(path);
  const results::Summary summary = results::summarize(file);
  int status = 0;
  const auto attempt = [&](const auto& action) {
    try {
      action();
    } catch (const std::exception& error) {
      monitor::say("typetwo run: {}\n", error.what());
      status = 1;
    }
  };
  std::vector<std::string> figures;
  if (!options.csv.empty()) attempt([&] { monitor::write_file(options.csv, csv(summary)); });
  const bool drawn = options.figure && plots::has_figure(file);
  if (drawn) attempt([&] { figures = plots::draw_figure(file, folder, figure_name); });
  if (print_table(file, summary) > 0) status = 1;
  print_figures(figures);
  if (options.figure && !drawn) monitor::print("No figure: no correct launch besides standalone\n");
  return status;
}

/// FOLDER/results.jsonl gives "figure", another file its own name; with --out, several in one
/// folder go by the names of their results folders, too.
fs::path figure_of(const fs::path& results, const PlotOptions& options) {
  const fs::path own = fs::absolute(results).lexically_normal().parent_path();
  std::string name = results.stem() == "results" ? "figure" : results.stem().string();
  if (options.out.empty()) return own / name;
  if (options.results.size() > 1) name = own.filename().string() + "-" + name;
  return fs::path(options.out) / name;
}

/// Ready before any clock starts: the images for guests, their files as folders for standalone.
/// Returns the images' UUIDs, which stand for all that they were made of.
std::string prepare_images(Plan& plan) {
  std::string uuids;
  try {
    for (const Workload* workload : plan.workloads) {
      if (!workload->from_image || plan.images.count(workload->packages) > 0) continue;
      const std::string path = image::workload_image(workload->packages).path;
      plan.images[workload->packages] = path;
      const image::UnpackedImage unpacked(path);
      uuids += (uuids.empty() ? "" : " ") + image::read_superblock(path).uuid;
    }
  } catch (const monitor::HostError& error) {
    throw monitor::HostError(fmt::format("no disk image for the workloads: {}", error.what()));
  }
  return uuids;
}

}  // namespace

int run_command(const RunOptions& options) {
  Plan plan = make_plan(options);
  const std::string folder = options.out.empty() ? default_folder() : options.out;
  check_run(plan, options, folder);
  results::Header header = {utc_now(), plan.to_json(), gather_context()};
  if (const auto uuids = prepare_images(plan); !uuids.empty()) header.context["image"] = uuids;
  check_image(plan);
  std::vector<results::Launch> done;
  std::string path;
  {
    results::Writer writer = open_results(folder, header, done);
    path = writer.path();
    if (!done.empty()) monitor::print("Resuming {}: {} launches are there\n", path, done.size());
    const OwnCpu cpu;
    ToolExecutor executor(program_of(options), cpu.guest_cpu());
    const InterruptGuard guard;
    Progress progress(plan);
    const auto say_how_to_go_on = [&] {
      progress.clear();
      monitor::say("stopped; the launches so far are in {}; go on with --out {}\n", path, folder);
    };
    try {
      const Preparation preparation(plan, TYPETWO_PREPARED_DIR);
      run_schedule(plan, done, executor, writer, progress.watcher());
      progress.clear();
    } catch (const Interrupted& stop) {
      say_how_to_go_on();
      return 128 + stop.signal;
    } catch (const monitor::HostError&) {
      say_how_to_go_on();
      throw;
    }
  }
  return deliver(path, folder, options);
}

int plot_command(const PlotOptions& options) {
  if (options.results.empty()) {
    throw monitor::UsageError("plot needs a results folder or file; `typetwo run` writes them");
  }
  std::map<fs::path, std::string> figures;  // their paths, without the ending; results
  std::vector<std::string> inputs, outputs;
  for (const auto& given : options.results) {
    const std::string results = results::locate(given);
    const fs::path figure = figure_of(results, options);
    if (!figures.emplace(figure, results).second) {
      throw monitor::UsageError(fmt::format(
          "two figures would be {}.svg: draw them one by one, with --out", figure.string()));
    }
    inputs.push_back(results);
    for (auto& path : plots::figure_paths(figure.parent_path(), figure.filename())) {
      outputs.push_back(std::move(path));
    }
  }
  monitor::require_distinct(inputs, outputs);
  if (!options.out.empty()) monitor::make_folder(options.out);
  for (const auto& [figure, results] : figures) {
    print_figures(
        plots::draw_figure(results::read(results), figure.parent_path(), figure.filename()));
  }
  return 0;
}

}  // namespace harness
