// From a system-call upcall to its handler and back. The only place that turns an Errno into the
// number a guest program sees.
#pragma once

#include "guest/base/errno.h"
#include "guest/syscall/args.h"
#include "vmi/trap_frame.h"

namespace guest {

void dispatch_system_call(vmi::TrapFrame& frame);
/// `int 0x80` and its like: another ABI, not served.
void refuse_foreign_call(vmi::TrapFrame& frame);

void set_error(vmi::TrapFrame& frame, Errno error);
/// An interrupted call is made again: back to the `syscall` instruction with the number in rax.
void rewind_system_call(vmi::TrapFrame& frame);

}  // namespace guest
