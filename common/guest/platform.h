// What the guest kernel stands on: the hypercall table, the shared-info and boot-info pages, the
// rings, the accounts. In the kernel image these are constants of the address map; host-built unit
// tests supply doubles (tests/unit). Nothing else in common/guest names an address of the window.
#pragma once

#include "vmi/accounts.h"
#include "vmi/boot_info.h"
#include "vmi/devices.h"
#include "vmi/hypercalls.h"
#include "vmi/shared_info.h"

namespace guest {

const vmi::Hypercalls& hypercalls();
vmi::SharedInfo& shared_info();
const vmi::BootInfo& boot_info();
vmi::Rings& rings();
vmi::Accounts& accounts();

}  // namespace guest
