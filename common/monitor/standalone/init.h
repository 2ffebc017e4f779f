// The inside of a standalone run: init, the first process of the run's own namespaces, and how it
// becomes the program. standalone.cpp forks it and waits.
#pragma once

#include <cstdint>

#include "monitor/machine/machine_config.h"

namespace monitor::standalone {

/// What init tells the tool, in memory that both share. init writes; the tool reads after its end.
struct Report {
  char error[512];    // empty: the program was started
  char warning[512];  // empty: none
  bool ended;         // by itself: `wait_status` is the program's
  int wait_status;
  double started;  // CLOCK_MONOTONIC, seconds, just before the program's execve
  double stopped;
  double cpu_seconds;
  std::uint64_t rss_bytes;
};

/// Waits until the tool has set up the user namespace. The tool's end before that, or before
/// PDEATHSIG was armed, shows as end of file.
void wait_for_go(int go);

/// Unpacks the root, runs the program, fills the report and ends the process. What the
/// program wrote to /dev/marker goes to the file `markers`.
[[noreturn]] void run_init(const MachineConfig&, Report&, int markers);

}  // namespace monitor::standalone
