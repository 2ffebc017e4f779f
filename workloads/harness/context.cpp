// What the host says about itself in /proc and /sys. A file that is missing gives an empty string:
// context is for reading, no number depends on it.
#include "workloads/harness/context.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>

#include "build_commit.h"
#include "monitor/host/noise.h"

namespace harness {
namespace {

std::string first_line(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

/// "model name : X" of the first processor.
std::string cpu_field(const std::string& key) {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line) && !line.empty();) {
    if (line.compare(0, key.size(), key) != 0) continue;
    const auto colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "";
}

nlohmann::json mitigations() {
  nlohmann::json all = nlohmann::json::object();
  std::error_code error;
  const std::filesystem::path folder = "/sys/devices/system/cpu/vulnerabilities";
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    all[entry.path().filename()] = first_line(entry.path());
  }
  return all;
}

/// BusyBox says its version in the first line of its usage.
std::string busybox_version() {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen("/bin/busybox 2>/dev/null", "re"), pclose);
  char line[256] = "";
  if (!pipe || fgets(line, sizeof line, pipe.get()) == nullptr) return "";
  // Read the rest, or BusyBox dies of SIGPIPE.
  for (char rest[4096]; fread(rest, 1, sizeof rest, pipe.get()) > 0;) {
  }
  const std::string text = line;
  return text.substr(0, text.find(')') + 1);
}

nlohmann::json page_sizes() {
  const std::filesystem::path thp = "/sys/kernel/mm/transparent_hugepage";
  return {{"page_bytes", sysconf(_SC_PAGESIZE)},
          {"thp_enabled", first_line(thp / "enabled")},
          {"thp_shmem_enabled", first_line(thp / "shmem_enabled")},
          {"thp_bytes", first_line(thp / "hpage_pmd_size")}};
}

}  // namespace

std::vector<int> allowed_cpus() {
  std::vector<int> cpus;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

std::string utc_now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

nlohmann::json gather_context() {
  utsname host{};
  uname(&host);
  return {{"kernel", fmt::format("{} {}", host.sysname, host.release)},
          {"kernel_build", host.version},
          {"architecture", host.machine},
          {"cpu", cpu_field("model name")},
          {"hypervisor", monitor::hypervisor_name()},
          {"cpu_flags", cpu_field("flags")},
          {"cpus_allowed", allowed_cpus()},
          {"mitigations", mitigations()},
          {"memory", page_sizes()},
          {"clocksource", first_line("/sys/devices/system/clocksource/clocksource0/"
                                     "current_clocksource")},
          {"commit", build_commit},
          {"dirty", build_dirty},
          {"compiler", "g++ " __VERSION__},
          {"debian", first_line("/etc/debian_version")},
          {"busybox", busybox_version()}};
}

}  // namespace harness
