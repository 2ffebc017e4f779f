// The trap path, whole: the monitor enters handle_upcall, which asks whom it concerns and goes out
// by leave_kernel (declared in proc/thread.h). Nothing else enters or leaves the kernel.
#pragma once

#include "vmi/trap_frame.h"

namespace guest {

/// KernelHeader::upcall. The monitor comes here as if by a call, on the current thread's kernel
/// stack, which is empty below the frame.
extern "C" [[noreturn]] void handle_upcall(vmi::TrapFrame* frame);

/// An exception of guest user code, as the signal it means.
void raise_exception(const vmi::TrapFrame& frame);
void serve_page_fault(const vmi::TrapFrame& frame);

}  // namespace guest
