// Processes as /proc shows them: what a run of the tool started, and whether it is gone.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace support {

struct Process {
  pid_t pid, parent;
  char state;
  std::string name;
  long user_ticks;  ///< CPU time in user mode, 1/sysconf(_SC_CLK_TCK) s
};

std::vector<Process> all_processes();
std::vector<Process> descendants(pid_t ancestor);

/// /proc/PID/maps, line by line.
std::vector<std::string> memory_map(pid_t pid);

}  // namespace support
