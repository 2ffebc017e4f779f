// See dispatch.h. Kernel mode, for the current thread.
#include "guest/syscall/dispatch.h"

#include "guest/abi/system_call.h"
#include "guest/platform.h"
#include "guest/syscall/handlers.h"
#include "guest/syscall/trace.h"

namespace guest {

namespace {

constexpr std::array<Handler, system_call_table_size> build_table() {
  std::array<Handler, system_call_table_size> handlers{};
#define X(number, name, support, note)            \
  static_assert(number < vmi::system_call_slots); \
  handlers[number] = sys_##name;
  GUEST_SYSCALLS(X)
#undef X
  return handlers;
}

}  // namespace

constexpr std::array<Handler, system_call_table_size> system_calls = build_table();
static_assert(system_calls[restart_syscall_number] == sys_restart_syscall);

void refuse_unknown(vmi::TrapFrame& frame) {
  auto& shared = shared_info();
  ++shared.counters.unknown_syscalls;
  if (frame.syscall_number < vmi::system_call_slots) ++accounts().calls[frame.syscall_number];
  if (frame.syscall_number < vmi::unknown_syscall_slots) {
    std::uint16_t& seen = shared.unknown_syscall[frame.syscall_number];
    if (seen != 0xffff) ++seen;
  }
  if (tracing()) (void)call_traced(nullptr, frame.syscall_number, arguments_of(frame));
  set_error(frame, Errno::nosys);
}

void refuse_foreign_call(vmi::TrapFrame& frame) {
  set_error(frame, Errno::nosys);
}

}  // namespace guest
