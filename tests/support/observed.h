// What an observed run (--observe) must show: for tests of any binary.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "monitor/machine/machine_config.h"
#include "monitor/machine/syscall_names.h"
#include "vmi/address_map.h"

namespace support {

inline std::string describe(const monitor::ObservedCall& call) {
  const auto& a = call.arguments;
  return fmt::format(
      "host call {} ({:#x}, {:#x}, {:#x}, {:#x}, {:#x}, {:#x}) at {:#x}, {} times, {}",
      monitor::syscall_name(call.number), a[0], a[1], a[2], a[3], a[4], a[5], call.ip, call.count,
      call.in_kernel ? "in kernel" : "in user mode");
}

/// No host call reached the host but the allowed ones.
inline void expect_allowed(const monitor::Outcome& outcome) {
  EXPECT_FALSE(outcome.observed.empty());
  for (const auto& call : outcome.observed) {
    EXPECT_TRUE(call.allowed) << describe(call);
    // Outside of the kernel there is the gate, and what the gate opens or closes.
    const bool in_window = call.ip >= vmi::window_base && call.ip < vmi::window_end;
    EXPECT_TRUE(call.in_kernel || !in_window) << describe(call);
  }
}

}  // namespace support
