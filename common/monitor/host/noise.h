// What makes measuring on this host doubtful, though everything runs. `typetwo doctor` prints it
// behind what host_check.h finds; none of it is a reason not to run.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "monitor/host/check.h"

namespace monitor {

/// Where the host says it; tests have files of their own.
struct NoiseSources {
  std::filesystem::path proc = "/proc", cpus = "/sys/devices/system/cpu";
  int guest_cpu = 0;            // that guests would run on
  std::string hypervisor = "";  // hypervisor_name()
};

/// Who runs this machine, if it is a virtual one: "KVM", or as it calls itself. "": nobody says so.
std::string hypervisor_name();

std::vector<Finding> examine_noise(const NoiseSources&);
/// For this host as it is now.
std::vector<Finding> examine_noise();

}  // namespace monitor
