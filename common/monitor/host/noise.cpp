// One finding each, from the host's own words.
#include "monitor/host/noise.h"

#include <cpuid.h>
#include <fmt/format.h>
#include <sched.h>

#include <cstring>
#include <fstream>
#include <sstream>

#include "monitor/host/probe.h"

namespace monitor {
namespace {

/// `remedy` empty: all is well.
Finding finding(const char* name, std::string value, std::string remedy = "") {
  const Verdict verdict = remedy.empty() ? Verdict::yes : Verdict::slow;
  return {name, std::move(value), verdict, std::move(remedy)};
}

Finding look_at_machine(const NoiseSources& host) {
  if (host.hypervisor.empty()) return finding("machine", "no hypervisor says it is a virtual one");
  return finding("machine",
                 fmt::format("a virtual one ({}); results are marked so", host.hypervisor));
}

Finding look_at_load(const NoiseSources& host) {
  constexpr double little = 0.3;
  std::istringstream in(probe::first_line(host.proc / "loadavg"));
  double load = 0;
  in >> load;
  if (!in) return finding("load", "the host does not say");
  return finding("load", fmt::format("{:.2f} over the last minute", load),
                 load <= little ? "" : "stop other programs before `typetwo run`");
}

Finding look_at_steal(const NoiseSources& host) {
  constexpr double little = 0.01;
  std::istringstream in(probe::first_line(host.proc / "stat"));
  std::string name;
  in >> name;
  double all = 0, steal = 0, ticks = 0;
  for (int column = 0; column < 8 && in >> ticks; ++column) {
    all += ticks;
    if (column == 7) steal = ticks;
  }
  if (all == 0) return finding("steal", "the host does not say");
  return finding("steal", fmt::format("{:.2f} % of the time since boot", steal / all * 100),
                 steal <= little * all
                     ? ""
                     : "other virtual machines take this one's CPUs: use a host with CPUs of its "
                       "own; launches that they disturb are marked and made again");
}

Finding look_at_governor(const NoiseSources& host) {
  const std::string governor = probe::first_line(host.cpus / fmt::format("cpu{}", host.guest_cpu) /
                                                 "cpufreq" / "scaling_governor");
  if (governor.empty()) return finding("CPU frequency", "not the host's to choose");
  return finding("CPU frequency", "governor " + governor,
                 governor == "performance" ? ""
                                           : "short runs may meet a slow CPU: cpupower "
                                             "frequency-set -g performance");
}

Finding look_at_siblings(const NoiseSources& host) {
  const std::string siblings = probe::first_line(host.cpus / fmt::format("cpu{}", host.guest_cpu) /
                                                 "topology" / "thread_siblings_list");
  const bool alone = siblings.find_first_of(",-") == std::string::npos;
  if (siblings.empty()) return finding("CPU core", "the host does not say who shares it");
  return finding(
      "CPU core",
      alone ? fmt::format("CPU {}, where guests run, has one of its own", host.guest_cpu)
            : fmt::format("CPUs {} share the one that guests run on", siblings),
      alone ? "" : "leave the others idle, or allow typetwo (taskset) one CPU of two cores each");
}

}  // namespace

std::string hypervisor_name() {
  constexpr unsigned present = 1u << 31, names = 0x40000000;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & present) == 0) return "";
  __cpuid(names, a, b, c, d);
  char own[13] = {};
  std::memcpy(own, &b, 4);
  std::memcpy(own + 4, &c, 4);
  std::memcpy(own + 8, &d, 4);
  const std::string name = own;
  return name == "KVMKVMKVM" ? "KVM" : name.empty() ? "unnamed" : name;
}

std::vector<Finding> examine_noise(const NoiseSources& host) {
  return {look_at_machine(host), look_at_load(host), look_at_steal(host), look_at_governor(host),
          look_at_siblings(host)};
}

// Guests run on the last of the CPUs that are allowed.
std::vector<Finding> examine_noise() {
  NoiseSources host;
  host.hypervisor = hypervisor_name();
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  sched_getaffinity(0, sizeof allowed, &allowed);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &allowed)) host.guest_cpu = cpu;
  }
  return examine_noise(host);
}

}  // namespace monitor
