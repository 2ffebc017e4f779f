// The rules: which host calls the guest-machine process may make while its guest kernel runs. An
// unmodified host lets every one through, so the VMM process, which sees them all, judges each by
// number, every argument, and the exact address it comes from. While guest user code runs there is
// nothing to judge: every call is the guest's own and never reaches the host.
#pragma once

#include <cstdint>
#include <optional>

#include "baseline-vmm/resident_header.h"

namespace baseline {

/// A host call as ptrace shows it at its entry.
struct HostCall {
  std::uint64_t ip = 0;  // behind the instruction
  std::uint32_t arch = 0;
  std::uint64_t number = 0;
  std::uint64_t arguments[6] = {};
};

enum class CallKind { open_window, close_window, leave, user_memory, vmm_call };

struct Rules {
  std::uint64_t gate_opened, gate_closed, gate_returned;  // behind the gate's host calls
  std::uint64_t host_call_ip, vmm_call_ip;                // behind the window's
  std::uint64_t guest_bytes;                              // window and RAM

  /// Nothing: the call is not one of the monitor's.
  [[nodiscard]] std::optional<CallKind> judge(const HostCall& call) const;
};

}  // namespace baseline
