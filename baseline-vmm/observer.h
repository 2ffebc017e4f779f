// Observer: every host call that really reached the host, for tests (MachineConfig::observe).
// Identical ones are folded. Each is judged by a table of its own (allowed_calls.h).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "baseline-vmm/allowed_calls.h"
#include "baseline-vmm/protocol.h"
#include "monitor/machine/machine_config.h"

namespace baseline {

class Observer {
 public:
  explicit Observer(const Rules& sites) : sites_(sites) {}

  /// `admitted`: by the VMM process.
  void record(const HostCall& call, bool in_kernel, bool admitted) {
    const bool allowed = admitted && is_allowed(sites_, call, in_kernel);
    Key key{call.ip, call.arch, call.number, std::to_array(call.arguments), in_kernel, allowed};
    ++calls_[key];
  }

  [[nodiscard]] std::vector<monitor::ObservedCall> report() const {
    std::vector<monitor::ObservedCall> report;
    for (const auto& [key, count] : calls_) {
      const auto& [ip, arch, number, arguments, in_kernel, allowed] = key;
      monitor::ObservedCall call{ip, arch, number, {}, count, in_kernel, allowed};
      for (std::size_t i = 0; i < arguments.size(); ++i) call.arguments[i] = arguments[i];
      report.push_back(call);
    }
    return report;
  }

 private:
  using Key = std::tuple<std::uint64_t, std::uint32_t, std::uint64_t, std::array<std::uint64_t, 6>,
                         bool, bool>;
  const Rules sites_;
  std::map<Key, std::uint64_t> calls_;
};

}  // namespace baseline
