// What workloads need on the host before the first launch, and what is undone after the last:
// `prepare` fills a scratch folder, `clean_up` ends what it began. run_command() holds one for as
// long as it launches, so that both happen whatever stops a run.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "workloads/harness/schedule.h"
#include "workloads/image/directory.h"

namespace harness {

class Preparation {
 public:
  /// Runs `prepare` of each workload that has one, in a new folder below `scratch`, and enters the
  /// folder into the plan. Throws monitor::HostError with what the program said; what was prepared
  /// until then is cleaned up.
  Preparation(Plan&, const std::string& scratch);
  ~Preparation();
  Preparation(const Preparation&) = delete;
  Preparation& operator=(const Preparation&) = delete;

 private:
  void prepare(Plan&, const Workload&, const std::string& scratch);
  void clean_up();

  std::deque<image::ScratchFolder> folders_;
  std::vector<Words> clean_ups_;
};

}  // namespace harness
