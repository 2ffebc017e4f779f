// From /proc/stat, in ticks of 10 ms; CpuShare::disturbed() leaves room for that.
#include "workloads/harness/cpu_watch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string>

namespace harness {
namespace {

double now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

double load_of_the_last_minute() {
  double load = 0;
  return getloadavg(&load, 1) == 1 ? load : 0;
}

}  // namespace

CpuWatch::CpuWatch(int cpu)
    : cpu_(cpu), began_(now()), load_(load_of_the_last_minute()), before_(read(cpu)) {}

std::optional<CpuWatch::Reading> CpuWatch::read(int cpu) {
  if (cpu < 0) return std::nullopt;
  std::ifstream stat("/proc/stat");
  const std::string wanted = fmt::format("cpu{}", cpu);
  for (std::string line; std::getline(stat, line);) {
    std::istringstream in(line);
    std::string name;
    double user, nice, system, idle, disk, interrupts, softirqs, steal;
    in >> name;
    if (name != wanted) continue;
    in >> user >> nice >> system >> idle >> disk >> interrupts >> softirqs >> steal;
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    if (in) return Reading{(idle + disk) / ticks, steal / ticks};
  }
  return std::nullopt;
}

std::optional<results::CpuShare> CpuWatch::end(const rusage& usage, double waited_seconds) const {
  const auto after = read(cpu_);
  if (!before_ || !after) return std::nullopt;
  results::CpuShare share;
  share.elapsed_seconds = now() - began_;
  share.own_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  share.idle_seconds = after->idle - before_->idle;
  share.steal_seconds = after->steal - before_->steal;
  share.waited_seconds = waited_seconds;
  share.load = load_;
  return share;
}

double run_queue_wait(pid_t pid) {
  std::ifstream in(fmt::format("/proc/{}/schedstat", pid));
  double ran_ns = 0, waited_ns = 0;
  in >> ran_ns >> waited_ns;
  return in ? waited_ns * 1e-9 : 0;
}

}  // namespace harness
