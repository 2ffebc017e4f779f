// From a monitor into the guest kernel: a jump that looks like a call by nobody. An upcall's stack
// is the current thread's, below its trap frame (vmi::KernelHeader).
#pragma once

#include <cstdint>

#include "vmi/hypercalls.h"

namespace monitor {

[[noreturn]] inline void enter_kernel(vmi::TrapFrame* frame, std::uint64_t stack,
                                      void (*entry)(vmi::TrapFrame*)) {
  // The null return address ends the kernel's stack, for the unwinder too.
  asm volatile("mov %1, %%rsp\n\txor %%ebp, %%ebp\n\tpush $0\n\tjmp *%2"
               :
               : "D"(frame), "d"(stack), "a"(entry)
               : "memory");
  __builtin_unreachable();
}

[[noreturn]] inline void enter_kernel(vmi::TrapFrame* frame, void (*upcall)(vmi::TrapFrame*)) {
  enter_kernel(frame, reinterpret_cast<std::uint64_t>(frame), upcall);
}

/// Its first instruction, once.
[[noreturn]] inline void boot_kernel(const vmi::KernelHeader& header) {
  enter_kernel(nullptr, header.boot_stack_top,
               reinterpret_cast<void (*)(vmi::TrapFrame*)>(header.boot));
}

}  // namespace monitor
