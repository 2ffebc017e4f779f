// The table of system calls, and what a call's frame means. Who serves a call, by these:
// trap/upcall.cpp.
#pragma once

#include <array>
#include <cstddef>

#include "guest/syscall/args.h"
#include "vmi/trap_frame.h"

namespace guest {

/// nullptr: nobody serves it.
inline constexpr std::size_t system_call_table_size = 512;
extern const std::array<Handler, system_call_table_size> system_calls;
inline Handler find_handler(std::uint64_t number) {
  return number < system_call_table_size ? system_calls[number] : nullptr;
}
inline Args arguments_of(const vmi::TrapFrame& frame) {
  return {{frame.rdi, frame.rsi, frame.rdx, frame.r10, frame.r8, frame.r9}};
}
/// A number without a handler: ENOSYS, counted.
void refuse_unknown(vmi::TrapFrame& frame);
/// `int 0x80` and its like: another ABI, not served.
void refuse_foreign_call(vmi::TrapFrame& frame);

}  // namespace guest
