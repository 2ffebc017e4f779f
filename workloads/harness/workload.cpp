// The registry. Counts are chosen so that a quick launch takes about half a second in each
// configuration: a sample is a mean over its count, so counts may differ between configurations.
#include "workloads/harness/workload.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "monitor/error.h"

namespace harness {
namespace {

using monitor::Config;
using monitor::Vmm;

/// Operations in one measured part, by the speed class of a configuration.
struct Counts {
  std::uint64_t standalone, baseline, extended;
};

std::uint64_t pick(const Counts& counts, const Config& config, Effort effort) {
  const std::uint64_t longer = effort == Effort::full ? 4 : 1;
  switch (config.vmm) {
    case Vmm::standalone:
      return counts.standalone * longer;
    case Vmm::baseline:
      return counts.baseline * longer;
    case Vmm::extended:
      return counts.extended * longer;
  }
  return 1;
}

Work micro(const char* name, std::uint64_t count) {
  Work work;
  work.argv = {fmt::format("/workloads/micro-{}", name), std::to_string(count),
               std::to_string(pairs_per_launch)};
  work.count = count;
  work.pairs = pairs_per_launch;
  return work;
}

/// Of programs whose check value counts operations that went right.
Work counting(const char* name, std::uint64_t count) {
  Work work = micro(name, count);
  work.expected = fmt::format("{} {}\n", name, count * pairs_per_launch);
  return work;
}

Work null_syscall(const Config& config, Effort effort) {
  return counting("null-syscall", pick({800'000, 1'200, 20'000}, config, effort));
}

Work touch_seq(const Config& config, Effort effort) {
  return counting("touch-seq", pick({65'536, 16'384, 32'768}, config, effort));
}

Work pipe_switch(const Config& config, Effort effort) {
  const std::uint64_t count = pick({20'000, 100, 1'000}, config, effort);
  Work work = micro("pipe-switch", count);
  std::uint64_t sum = 0;  // the other process answers 3 n + 1, in a byte
  for (std::uint64_t i = 0; i < count; ++i) sum += (i * 3 + 1) & 0xff;
  work.expected = fmt::format("pipe-switch {}\n", sum * pairs_per_launch);
  return work;
}

Work compute(const Config& config, Effort effort) {
  return micro("compute", pick({10, 10, 10}, config, effort));
}

Work window_pair(const Config& config, Effort effort) {
  return counting("window-pair", pick({50'000, 0, 0}, config, effort));
}

Work busybox_script(const Config&, Effort) {
  Work work;
  work.argv = {"/bin/busybox", "sh", "/workloads/busybox-script.sh", "/data"};
  work.add = {{TYPETWO_MACRO_SCRIPT, "/workloads/busybox-script.sh"},
              {TYPETWO_MACRO_TREE, "/data"}};
  return work;
}

}  // namespace

const std::vector<Workload>& workloads() {
  static const std::vector<Workload> all = {
      {{"null-syscall", "us", "getppid: a trap into the kernel and back", false},
       1e3,
       null_syscall},
      {{"touch-seq", "us", "first touch of a page of anonymous memory", false}, 1e3, touch_seq},
      {{"pipe-switch", "us", "one byte to another process and back, by two pipes", false},
       1e3,
       pipe_switch},
      {{"compute", "ms", "a round of arithmetic without system calls", false}, 1e6, compute},
      {{"window-pair", "us", "the host's price of opening and closing a 2 MiB window by mprotect",
        true},
       1e3,
       window_pair},
      {{"busybox-script", "s", "find, sort, grep, awk and md5sum over a tree of 1500 files", false},
       1e9,
       busybox_script},
  };
  return all;
}

const Workload& find_workload(const std::string& name) {
  std::vector<std::string_view> names;
  for (const Workload& workload : workloads()) {
    if (workload.info.name == name) return workload;
    names.push_back(workload.info.name);
  }
  throw monitor::UsageError(
      fmt::format("unknown workload '{}': use {}", name, fmt::join(names, ", ")));
}

std::vector<WorkloadInfo> list_workloads() {
  std::vector<WorkloadInfo> infos;
  for (const Workload& workload : workloads()) infos.push_back(workload.info);
  return infos;
}

}  // namespace harness
