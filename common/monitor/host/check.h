// Can this host run that configuration? `typetwo exec` asks before it boots, so that a missing
// primitive is one clear line; `typetwo doctor` prints all of it. Both read one table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "monitor/host/cgroup.h"
#include "monitor/machine/kind.h"

namespace monitor {

enum class Verdict { yes, slow, no };

/// One thing a host has or lacks.
struct Finding {
  std::string name;   // "seccomp"
  std::string value;  // "RET_TRAP works", "Operation not permitted"
  Verdict verdict = Verdict::yes;
  std::string remedy = {};        // when the verdict is not yes
  std::optional<Need> need = {};  // whose; nothing: of no configuration

  [[nodiscard]] bool concerns(const Config&) const;
};

/// All that is looked at; tries things in child processes and takes some milliseconds.
/// `memory_bytes`: guest RAM that is wanted.
std::vector<Finding> examine_host(std::uint64_t memory_bytes);

/// The worst verdict of the findings that concern the configuration.
Verdict judge(const Config&, const std::vector<Finding>&);

/// What control groups leave for a guest of that size.
Finding judge_cgroup(const std::optional<CgroupMemory>&, std::uint64_t wanted);

/// Throws HostError, naming cause and remedy, when the host cannot run it at all. Looks only at
/// what the configuration needs.
void require_host_for(const Config&, std::uint64_t memory_bytes);

}  // namespace monitor
