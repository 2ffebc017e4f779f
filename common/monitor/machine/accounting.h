// What a guest cost its host: CPU time and peak memory of host processes, summed over all that
// belong to one guest. Launchers ask after (or, for themselves, at the end of) a run.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <ctime>

namespace monitor {

struct ProcessCost {
  double cpu_seconds = 0;            // user + system
  std::uint64_t peak_rss_bytes = 0;  // of the largest process: they share guest memory

  ProcessCost& operator+=(const ProcessCost& other);
};

/// What wait4() says of a process that has ended.
struct ProcessEnd {
  int status;
  rusage usage;
};

/// Of a process just reaped by wait4(), or of getrusage().
ProcessCost cost_of(const rusage& usage);

/// Of a live process, or of a dead one not reaped yet (then without its peak memory); zero if there
/// is no such process.
ProcessCost cost_of_process(pid_t pid);

/// What a CPU-time clock has counted; zero if there is no such clock.
double cpu_seconds(clockid_t clock);

}  // namespace monitor
