// Scratch folders carry the number of the process that has them, since runs may go on side by side,
// and are locked: what a killed run left is nobody's, and the next one removes it.
#include "workloads/harness/preparation.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>

#include "monitor/tool/error.h"
#include "monitor/tool/message.h"
#include "monitor/tool/output_file.h"
#include "workloads/image/host_program.h"

namespace harness {
namespace {

namespace fs = std::filesystem;

bool is_locked(const std::string& folder) {
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool locked = flock(fd, LOCK_EX | LOCK_NB) != 0;
  close(fd);
  return locked;
}

void remove_left_over(const std::string& scratch) {
  for (const auto& entry : fs::directory_iterator(scratch)) {
    if (!is_locked(entry.path())) image::remove_tree(entry.path());
  }
}

Words filled(const Words& texts, const Workload& workload, const std::string& prepared) {
  Words words;
  for (const auto& text : texts) {
    words.push_back(fill_in(
        text, {{"built", workload.built}, {"folder", workload.folder}, {"prepared", prepared}}));
  }
  return words;
}

}  // namespace

Preparation::Preparation(Plan& plan, const std::string& scratch) {
  monitor::make_folder(scratch);
  remove_left_over(scratch);
  try {
    for (const Workload* workload : plan.workloads) {
      if (!workload->prepare.empty()) prepare(plan, *workload, scratch);
      if (!workload->clean_up.empty()) {
        clean_ups_.push_back(filled(workload->clean_up, *workload, plan.prepared[workload]));
      }
    }
  } catch (...) {
    clean_up();
    throw;
  }
}

Preparation::~Preparation() {
  clean_up();
}

void Preparation::prepare(Plan& plan, const Workload& workload, const std::string& scratch) {
  const auto& folder =
      folders_.emplace_back(fmt::format("{}/{}-{}", scratch, workload.info.name, getpid()));
  plan.prepared[&workload] = folder.path();
  image::require_program(filled(workload.prepare, workload, folder.path()),
                         fmt::format("{} cannot run without that", workload.info.name));
}

void Preparation::clean_up() {
  for (const Words& words : clean_ups_) {
    const image::ProgramRun run = image::run_program(words);
    if (run.status != 0) {
      monitor::say("typetwo: cleaning up with {} failed ({}): {}\n", words.front(), run.status,
                   run.err);
    }
  }
  clean_ups_.clear();
}

}  // namespace harness
