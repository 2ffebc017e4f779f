// Reading rusage, process CPU clocks and /proc; see accounting.h.
#include "monitor/machine/accounting.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace monitor {

namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

/// "VmHWM:  123 kB" of /proc/PID/status.
std::uint64_t peak_rss(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  std::string word;
  while (status >> word) {
    std::uint64_t kibibytes = 0;
    if (word == "VmHWM:" && status >> kibibytes) return kibibytes << 10;
  }
  return 0;
}

}  // namespace

ProcessCost& ProcessCost::operator+=(const ProcessCost& other) {
  cpu_seconds += other.cpu_seconds;
  peak_rss_bytes = std::max(peak_rss_bytes, other.peak_rss_bytes);
  return *this;
}

ProcessCost cost_of(const rusage& usage) {
  return {seconds(usage.ru_utime) + seconds(usage.ru_stime),
          static_cast<std::uint64_t>(usage.ru_maxrss) << 10};
}

ProcessCost cost_of_process(pid_t pid) {
  ProcessCost cost;
  clockid_t clock = 0;
  // The process's own CPU clock: nanoseconds, where /proc/PID/stat counts ticks of 10 ms.
  if (pid > 0 && clock_getcpuclockid(pid, &clock) == 0) {
    cost.cpu_seconds = cpu_seconds(clock);
    cost.peak_rss_bytes = peak_rss(pid);
  }
  return cost;
}

double cpu_seconds(clockid_t clock) {
  timespec used{};
  clock_gettime(clock, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

}  // namespace monitor
