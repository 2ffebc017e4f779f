// From a system-call upcall to its handler and back.
#pragma once

#include "vmi/trap_frame.h"

namespace guest {

void dispatch_system_call(vmi::TrapFrame& frame);
/// `int 0x80` and its like: another ABI, not served.
void refuse_foreign_call(vmi::TrapFrame& frame);

}  // namespace guest
