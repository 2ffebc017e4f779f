// The trap path, whole: the monitor enters upcall_entry (entry.S), which calls handle_upcall, which
// asks whom it concerns and goes out by leave_kernel (declared in proc/thread.h). Nothing else
// enters or leaves the kernel.
#pragma once

#include "vmi/trap_frame.h"

namespace guest {

/// KernelHeader::upcall. The monitor comes here with the frame in rdi and rsp at the frame, on the
/// current thread's kernel stack.
extern "C" [[noreturn]] void upcall_entry(vmi::TrapFrame* frame);
extern "C" [[noreturn]] void handle_upcall(vmi::TrapFrame* frame);

/// An exception of guest user code, as the signal it means.
void raise_exception(const vmi::TrapFrame& frame);
void serve_page_fault(const vmi::TrapFrame& frame);

}  // namespace guest
