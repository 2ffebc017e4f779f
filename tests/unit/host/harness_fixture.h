// The harness with a made-up executor in a scratch folder: for harness_test and client_test.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "machines/kinds.h"
#include "workloads/harness/executor.h"
#include "workloads/harness/run.h"

namespace harness {

/// Answers as a right workload would; `change` may then spoil it.
class MadeUpExecutor : public Executor {
 public:
  LaunchResult launch(const machines::Request& request) override {
    requests.push_back(request);
    LaunchResult result;
    result.reported = true;
    const bool script = request.program[0] == "/bin/bash";
    const std::string name =
        script ? "shell" : request.program[0].substr(std::string("/workloads/micro-").size());
    const auto count = script ? 1 : std::stoull(request.program.at(1));
    const auto pairs = script ? 1 : std::stoull(request.program.at(2));
    const bool guest = request.on.is_guest();
    std::uint64_t now = 1'000'000;
    for (std::uint64_t i = 0; i < pairs; ++i) {
      mark(result, fmt::format("start {} {} {}", name, count, now), now);
      now += count * (guest ? 1000 : 100);
      mark(result, fmt::format("stop {} {}", name, now), now);
    }
    result.out = name == "compute" ? "compute 42\n" : fmt::format("{} {}\n", name, count * pairs);
    if (change) change(request, result);
    return result;
  }

  std::function<void(const machines::Request&, LaunchResult&)> change;
  std::vector<machines::Request> requests;

 private:
  static void mark(LaunchResult& result, const std::string& text, std::uint64_t now) {
    result.outcome.markers.push_back({now + 77, text});
  }
};

class Harness : public testing::Test {
 protected:
  Harness() {
    char name[] = "/tmp/harness-test-XXXXXX";
    folder_ = mkdtemp(name);
    options_.workloads = {"null-syscall"};
    options_.configs = {machines::parse("baseline")};
    options_.runs = 2;
  }
  ~Harness() override { std::filesystem::remove_all(folder_); }

  results::Header header() const {
    return {"now", make_plan(options_).to_json(), {{"kernel", "k"}, {"runs", 2}}};
  }
  void run() { run(make_plan(options_)); }
  void run(const Plan& plan) {
    std::vector<results::Launch> done;
    results::Writer writer = open_results(folder_, header(), done);
    run_schedule(plan, done, executor_, writer, Watcher{});
  }
  /// null-syscall, but for what `change` does to it.
  void run_changed(void (*change)(Workload&)) {
    Workload workload = find_workload("null-syscall");
    change(workload);
    Plan plan = make_plan(options_);
    plan.workloads = {&workload};
    run(plan);
  }
  results::File file() const { return results::read(folder_); }
  std::vector<std::string> problems() const {
    std::vector<std::string> all;
    for (const auto& launch : file().launches) {
      if (!launch.ok()) all.push_back(launch.problem);
    }
    return all;
  }

  std::string folder_;
  RunOptions options_;
  MadeUpExecutor executor_;
};

}  // namespace harness
