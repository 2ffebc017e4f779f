// How a system call's outcome stands in the caller's registers. The only place that turns an Errno
// into the number a guest program sees. Called by dispatch and by signal delivery.
#pragma once

#include <cstdint>

#include "guest/abi/structs.h"
#include "guest/base/errno.h"
#include "vmi/trap_frame.h"

namespace guest {

inline void set_error(vmi::TrapFrame& frame, Errno error) {
  frame.rax = static_cast<std::uint64_t>(-static_cast<std::int64_t>(error));
}

inline constexpr std::uint64_t restart_syscall_number = 219;

/// A call ended with an Errno that is_restart(), which is in rax, and its signals are being
/// delivered. Makes it again, back at the `syscall` instruction with the number in rax, or lets it
/// fail. `handler_flags`: of the handler that is about to run, null if none has.
inline void settle_interrupted_call(vmi::TrapFrame& frame, const std::uint64_t* handler_flags) {
  constexpr std::uint64_t syscall_instruction_bytes = 2;
  const auto way = static_cast<Errno>(-static_cast<std::int64_t>(frame.rax));
  const bool asked = handler_flags && (*handler_flags & abi::sa_restart);
  const bool again =
      way == Errno::restart_always || !handler_flags || (way == Errno::restart && asked);
  if (!again) return set_error(frame, Errno::intr);
  frame.rip -= syscall_instruction_bytes;
  frame.rax = way == Errno::restart_time_left ? restart_syscall_number : frame.syscall_number;
}

}  // namespace guest
