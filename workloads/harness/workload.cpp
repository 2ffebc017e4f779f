// The registry. Counts are chosen so that a quick launch takes about half a second in each
// configuration: a sample is a mean over its count, so counts may differ between configurations.
#include "workloads/harness/workload.h"

#include <fmt/format.h>

#include "monitor/error.h"
#include "monitor/nearest.h"
#include "workloads/harness/named_plan.h"

namespace harness {
namespace {

using monitor::Config;
using monitor::Protect;
using monitor::Trap;
using monitor::Vmm;

/// Operations in one measured part, by the speed class of a configuration.
struct Counts {
  std::uint64_t standalone, baseline, extended;
  std::uint64_t open = extended;  // no trap and no window: as fast as standalone
};

std::uint64_t pick(const Counts& counts, const Config& config, Effort effort) {
  const std::uint64_t longer = effort == Effort::full ? 4 : 1;
  switch (config.vmm) {
    case Vmm::standalone:
      return counts.standalone * longer;
    case Vmm::baseline:
      return counts.baseline * longer;
    case Vmm::extended:
      if (config.trap == Trap::direct && config.protect == Protect::none) {
        return counts.open * longer;
      }
      return counts.extended * longer;
  }
  return 1;
}

Work micro(const std::string& name, std::uint64_t count) {
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

/// Of programs whose children exit with 1 to 100, in turn.
Work with_statuses(const char* name, std::uint64_t count) {
  Work work = micro(name, count);
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < count; ++i) sum += i % 100 + 1;
  work.expected = fmt::format("{} {}\n", name, sum * pairs_per_launch);
  return work;
}

Work null_syscall(const Config& config, Effort effort) {
  return counting("null-syscall", pick({800'000, 1'200, 20'000, 800'000}, config, effort));
}

Work touch_seq(const Config& config, Effort effort) {
  return counting("touch-seq", pick({65'536, 16'384, 32'768}, config, effort));
}

Work pipe_switch(const Config& config, Effort effort) {
  return echoing("pipe-switch", pick({20'000, 100, 1'000}, config, effort));
}

Work compute(const Config& config, Effort effort) {
  return micro("compute", pick({10, 10, 10}, config, effort));
}

Work window_pair(const Config& config, Effort effort) {
  return counting("window-pair", pick({50'000, 0, 0}, config, effort));
}

Work clock_gettime(const Config& config, Effort effort) {
  return counting("clock-gettime", pick({2'000'000, 2'000'000, 2'000'000}, config, effort));
}

Work pread_4k(const Config& config, Effort effort) {
  return counting("pread-4k", pick({200'000, 1'000, 15'000, 200'000}, config, effort));
}

Work write_1b(const Config& config, Effort effort) {
  return counting("write-1b", pick({200'000, 1'000, 15'000, 200'000}, config, effort));
}

Work touch_rand(const Config& config, Effort effort) {
  return counting("touch-rand", pick({65'536, 16'384, 65'536}, config, effort));
}

Work touch_sparse(const Config& config, Effort effort) {
  return counting("touch-sparse", pick({32'768, 2'048, 8'192}, config, effort));
}

Work touch_file(const Config& config, Effort effort) {
  return counting("touch-file", pick({200'000, 16'384, 65'536}, config, effort));
}

Work pipe_switch_32m(const Config& config, Effort effort) {
  return echoing("pipe-switch-32m", pick({20'000, 50, 500}, config, effort));
}

Work fork_exit(const Config& config, Effort effort) {
  return with_statuses("fork-exit", pick({400, 20, 100}, config, effort));
}

Work fork_exec(const Config& config, Effort effort) {
  return with_statuses("fork-exec", pick({200, 10, 50}, config, effort));
}

Work signal_round_trip(const Config& config, Effort effort) {
  return counting("signal", pick({100'000, 400, 8'000}, config, effort));
}

Work create_unlink(const Config& config, Effort effort) {
  return counting("create-unlink", pick({40'000, 400, 6'000}, config, effort));
}

Work busybox_script(const Config&, Effort) {
  Work work;
  work.argv = {"/bin/busybox", "sh", "/workloads/busybox-script.sh", "/data"};
  work.add = {{TYPETWO_MACRO_SCRIPT, "/workloads/busybox-script.sh"},
              {TYPETWO_MACRO_TREE, "/data"}};
  return work;
}

Work shell(const Config&, Effort) {
  Work work;
  work.argv = {"/bin/bash", "/workloads/shell.sh"};
  return work;
}

}  // namespace

Work echoing(const std::string& name, std::uint64_t count) {
  Work work = micro(name, count);
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < count; ++i) sum += (i * 3 + 1) & 0xff;
  work.expected = fmt::format("{} {}\n", name, sum * pairs_per_launch);
  return work;
}

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
      {{"clock-gettime", "us", "reading the clock by the C library (a vDSO where there is one)",
        false, false},
       1e3,
       clock_gettime},
      {{"pread-4k", "us", "a page of a cached file into a buffer", false, false}, 1e3, pread_4k},
      {{"write-1b", "us", "one byte into a file in /tmp", false, false}, 1e3, write_1b},
      {{"touch-rand", "us", "first touch of a page of 256 MiB, in random order", false, false},
       1e3,
       touch_rand,
       512ul << 20},
      {{"touch-sparse", "us", "first touch of every 64th page of anonymous memory", false, false},
       1e3,
       touch_sparse,
       512ul << 20},
      {{"touch-file", "us", "first touch of a page of a mapped, cached file", false, false},
       1e3,
       touch_file},
      {{"pipe-switch-32m", "us", "pipe-switch between processes of 32 MiB each", false, false},
       1e3,
       pipe_switch_32m},
      {{"fork-exit", "us", "fork, exit and wait", false, false}, 1e3, fork_exit},
      {{"fork-exec", "us", "fork, execve of a static program, exit and wait", false, false},
       1e3,
       fork_exec},
      {{"signal", "us", "a signal to oneself, its handler, and back", false, false},
       1e3,
       signal_round_trip},
      {{"create-unlink", "us", "a file created in /tmp, closed and unlinked", false, false},
       1e3,
       create_unlink},
      {{"shell", "s",
        "a bash script over /usr/share on disk: loops, find, grep, sort, gawk in pipes", false,
        false},
       1e9,
       shell,
       256ul << 20,
       true},
  };
  return all;
}

const Workload& find_workload(const std::string& name) {
  std::vector<std::string_view> names;
  for (const Workload& workload : workloads()) {
    if (workload.info.name == name) return workload;
    names.push_back(workload.info.name);
  }
  for (const NamedPlan& plan : named_plans()) names.push_back(plan.name);
  throw monitor::UsageError(monitor::unknown("workload or plan", name, names));
}

std::vector<WorkloadInfo> list_workloads() {
  std::vector<WorkloadInfo> infos;
  for (const Workload& workload : workloads()) infos.push_back(workload.info);
  return infos;
}

}  // namespace harness
