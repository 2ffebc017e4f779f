// How a system call's outcome stands in the caller's registers. The only place that turns an Errno
// into the number a guest program sees. Called by dispatch and by signal delivery.
#pragma once

#include <cstdint>

#include "guest/base/errno.h"
#include "vmi/trap_frame.h"

namespace guest {

inline void set_error(vmi::TrapFrame& frame, Errno error) {
  frame.rax = static_cast<std::uint64_t>(-static_cast<std::int64_t>(error));
}

/// An interrupted call is made again: back to the `syscall` instruction with the number in rax.
inline void rewind_system_call(vmi::TrapFrame& frame) {
  constexpr std::uint64_t syscall_instruction_bytes = 2;
  frame.rip -= syscall_instruction_bytes;
  frame.rax = frame.syscall_number;
}

}  // namespace guest
