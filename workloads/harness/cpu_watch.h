// What the guest's CPU does while a launch runs, by the host's own books. Used by the executor.
#pragma once

#include <sys/resource.h>

#include <optional>

#include "results/results.h"

namespace harness {

class CpuWatch {
 public:
  /// Begins now. cpu: of the host; -1: not known which, and nothing is found.
  explicit CpuWatch(int cpu);
  /// Ends now. `usage`: of all processes of the launch; `waited_seconds`: see CpuShare. Nothing
  /// where the host keeps no books on its CPUs.
  [[nodiscard]] std::optional<results::CpuShare> end(const rusage& usage,
                                                     double waited_seconds) const;

 private:
  struct Reading {
    double idle, steal;
  };
  [[nodiscard]] static std::optional<Reading> read(int cpu);

  int cpu_;
  double began_, load_;
  std::optional<Reading> before_;
};

/// How long a process's first thread was ready to run and did not, as far as the host says. It may
/// have ended, but not been waited for.
double run_queue_wait(pid_t);

}  // namespace harness
