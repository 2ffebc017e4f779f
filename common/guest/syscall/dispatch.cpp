// System-call dispatch: one table lookup between the trap and the handler. Called by handle_upcall.
#include "guest/syscall/dispatch.h"

#include "guest/abi/system_call.h"
#include "guest/platform.h"
#include "guest/proc/thread.h"
#include "guest/syscall/handlers.h"
#include "guest/syscall/trace.h"

namespace guest {

namespace {

constexpr std::size_t table_size = 512;

struct HandlerTable {
  Handler handlers[table_size] = {};
};

constexpr HandlerTable build_table() {
  HandlerTable table;
#define X(number, name, support, note)            \
  static_assert(number < vmi::system_call_slots); \
  table.handlers[number] = sys_##name;
  GUEST_SYSCALLS(X)
#undef X
  return table;
}

constexpr HandlerTable table = build_table();
static_assert(table.handlers[restart_syscall_number] == sys_restart_syscall);

Args arguments_of(const vmi::TrapFrame& frame) {
  return {{frame.rdi, frame.rsi, frame.rdx, frame.r10, frame.r8, frame.r9}};
}

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

}  // namespace

void dispatch_system_call(vmi::TrapFrame& frame) {
  std::uint64_t number = frame.syscall_number;
  Handler handler = number < table_size ? table.handlers[number] : nullptr;
  if (!handler) [[unlikely]]
    return refuse_unknown(frame);
  ++accounts().calls[number];
  Args args = arguments_of(frame);
  auto result = tracing() ? call_traced(handler, number, args) : handler(args);
  if (result.ok()) [[likely]] {
    frame.rax = static_cast<std::uint64_t>(result.value());
    return;
  }
  // Whether it is made again or fails is known only when the signal is delivered.
  if (is_restart(result.error())) current_thread().attention |= Thread::restart;
  set_error(frame, result.error());
}

void refuse_foreign_call(vmi::TrapFrame& frame) {
  set_error(frame, Errno::nosys);
}

}  // namespace guest
