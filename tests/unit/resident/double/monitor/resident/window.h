// Found before the real one (CMakeLists.txt): resident parts built for the host have no window, so
// what lies at fixed places of it is here.
#pragma once

#include "vmi/accounts.h"
#include "vmi/boot_info.h"
#include "vmi/hypercalls.h"
#include "vmi/shared_info.h"

namespace monitor {

inline vmi::SharedInfo& shared_info() {
  static vmi::SharedInfo shared{};
  return shared;
}
inline const vmi::BootInfo& boot_info() {
  static const vmi::BootInfo boot{};
  return boot;
}
inline const vmi::KernelHeader& kernel() {
  static const vmi::KernelHeader header{};
  return header;
}
inline vmi::Accounts& accounts() {
  static vmi::Accounts none{};
  return none;
}
inline vmi::Accounts* time_accounts() {
  return nullptr;
}

}  // namespace monitor
