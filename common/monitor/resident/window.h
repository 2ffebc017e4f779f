// What lies at fixed places of the window, for the resident parts of both monitors: kernel mode,
// window open.
#pragma once

#include "vmi/accounts.h"
#include "vmi/address_map.h"
#include "vmi/boot_info.h"
#include "vmi/hypercalls.h"
#include "vmi/shared_info.h"

namespace monitor {

inline vmi::SharedInfo& shared_info() {
  return *reinterpret_cast<vmi::SharedInfo*>(vmi::shared_info_base);
}
inline const vmi::BootInfo& boot_info() {
  return *reinterpret_cast<const vmi::BootInfo*>(vmi::boot_info_base);
}
inline const vmi::KernelHeader& kernel() {
  return *reinterpret_cast<const vmi::KernelHeader*>(vmi::kernel_base);
}
inline vmi::Accounts& accounts() {
  return *reinterpret_cast<vmi::Accounts*>(vmi::accounts_base);
}
/// Null: nobody asked where the time goes.
inline vmi::Accounts* time_accounts() {
  return boot_info().options & vmi::boot_account ? &accounts() : nullptr;
}

}  // namespace monitor
