// Tracing: the guest's system calls on the console's error stream, with names, decoded arguments
// and results, as strace prints them (BootOption::boot_trace_syscalls, `typetwo exec --strace`).
// Off, it costs dispatch one test of a word. The kernel traces itself, because only here a call is
// the same thing under every monitor. A line comes when its call is done, one line a call.
#pragma once

#include "guest/platform.h"
#include "guest/proc/observers.h"
#include "guest/syscall/args.h"

namespace guest {

inline bool tracing() {
  return boot_info().options & vmi::boot_trace_syscalls;
}

/// Makes the call, and prints it. `handler` is nullptr for a call that nobody serves: ENOSYS.
Result<std::int64_t> call_traced(Handler handler, std::uint64_t number, const Args& args);

/// Prints the signals that processes take, and their ends; nothing unless tracing.
ProcessObserver& trace_observer();

}  // namespace guest
