// Runs a schedule: launch, judge, record. What standalone printed first is what the others must
// print, where a workload has no fixed answer.
#include "workloads/harness/run.h"

#include <fmt/format.h>

#include <map>

#include "machines/kinds.h"
#include "monitor/tool/error.h"
#include "workloads/harness/client.h"
#include "workloads/harness/interrupts.h"
#include "workloads/harness/judge.h"

namespace harness {
namespace {

monitor::OutsideRules outside_of(const Work& work) {
  monitor::OutsideRules rules;
  for (const auto& words : work.publish) monitor::add_publication(words, rules);
  for (const auto& words : work.connect) monitor::add_permissions(words, rules);
  return rules;
}

machines::Request request_for(const Plan& plan, const Slot& slot, const Work& work) {
  const std::string image = plan.image_of(*slot.workload);
  return {.on = slot.config,
          .root = image,
          .root_is_image = !image.empty(),
          .read_only = !image.empty(),
          .add = work.add,
          .environment = work.env,
          .outside = slot.config.is_guest() ? outside_of(work) : monitor::OutsideRules{},
          .memory_bytes = plan.memory_bytes,
          .fill = plan.fill,
          .timeout_seconds = plan.timeout_seconds,
          .account = plan.account && slot.config.is_guest(),
          .program = work.argv};
}

/// Same options and same build? A kernel or a commit apart, launches cannot be compared.
void check_same_run(const std::string& path, const results::Header& old,
                    const results::Header& now) {
  const auto refuse = [&](const std::string& what) {
    throw monitor::UsageError(fmt::format(
        "{} holds results of another run ({} differs); choose another --out", path, what));
  };
  for (const auto& [key, value] : now.options.items()) {
    if (old.options.value(key, nlohmann::json()) != value) refuse("option " + key);
  }
  for (const char* key : {"kernel", "cpu", "commit", "dirty", "image"}) {
    if (old.context.value(key, nlohmann::json()) != now.context.value(key, nlohmann::json())) {
      refuse(key);
    }
  }
}

}  // namespace

results::Writer open_results(const std::string& folder, const results::Header& header,
                             std::vector<results::Launch>& done) {
  if (!results::is_begun(folder)) return results::Writer::create(folder, header);
  results::File file = results::read(folder);
  check_same_run(file.path, file.header, header);
  done = std::move(file.launches);
  return results::Writer::resume(file);
}

namespace {

/// Makes and records launches, and knows what standalone printed.
class Launcher {
 public:
  Launcher(const Plan& plan, Executor& executor, results::Writer& writer)
      : plan_(plan), executor_(executor), writer_(writer) {}

  results::Launch launch(const Slot& slot) {
    const Work work =
        make_work(*slot.workload, slot.config, plan_.effort, surroundings(*slot.workload));
    const LaunchResult result = launch_beside_client(slot, work);

    const bool first = slot.config == machines::standalone() && work.check.by_standalone() &&
                       references_.count(slot.workload) == 0;
    std::optional<std::string> reference;
    if (first) reference = result.out;
    if (const auto known = references_.find(slot.workload); known != references_.end()) {
      reference = known->second;
    }
    results::Launch launch = judge(slot, work, result, reference);
    if (first && launch.ok()) references_[slot.workload] = result.out;
    writer_.append(launch);
    return launch;
  }

 private:
  [[nodiscard]] Surroundings surroundings(const Workload& workload) const {
    const auto prepared = plan_.prepared.find(&workload);
    return {.prepared = prepared == plan_.prepared.end() ? "" : prepared->second,
            .port = workload.client.empty() ? 0 : free_port()};
  }
  LaunchResult launch_beside_client(const Slot& slot, const Work& work) {
    const auto request = request_for(plan_, slot, work);
    if (work.client.empty()) return executor_.launch(request);
    Client client(work.client);
    LaunchResult result = executor_.launch(request);
    client.end(result);
    return result;
  }

  const Plan& plan_;
  Executor& executor_;
  results::Writer& writer_;
  std::map<const Workload*, std::string> references_;
};

}  // namespace

void run_schedule(const Plan& plan, const std::vector<results::Launch>& done, Executor& executor,
                  results::Writer& writer, const Watcher& watcher) {
  const auto slots = remaining(make_schedule(plan), done);
  Launcher launcher(plan, executor, writer);
  std::size_t repetitions_left = (slots.size() + 1) / 2;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const Slot& slot = slots[i];
    for (unsigned repetitions = 0;; ++repetitions) {
      InterruptGuard::check();
      watcher.launching(slot, i, slots.size());
      const results::Launch launch = launcher.launch(slot);
      if (!launch.ok()) watcher.failed(slot, launch);
      if (!launch.ok() || !launch.disturbed() || slot.warmup()) break;
      if (repetitions == most_repetitions || repetitions_left == 0) break;
      --repetitions_left;
      watcher.repeating(slot, launch);
    }
  }
}

}  // namespace harness
