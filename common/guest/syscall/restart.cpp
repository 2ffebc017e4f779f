// See restart.h.
#include "guest/syscall/restart.h"

#include "guest/proc/thread.h"
#include "guest/syscall/handlers.h"

namespace guest {

Errno restart_until(TimedCall call, const Args& args, std::uint64_t deadline_ns) {
  RestartBlock& block = current_thread().restart_block;
  block.call = call;
  for (int i = 0; i < 6; ++i) block.arguments[i] = args.u64(i);
  block.deadline_ns = deadline_ns;
  return Errno::restart_time_left;
}

void forget_restart() {
  current_thread().restart_block.call = nullptr;
}

Result<std::int64_t> sys_restart_syscall(const Args&) {
  const RestartBlock& block = current_thread().restart_block;
  if (!block.call) return Errno::intr;
  Args args{};
  for (int i = 0; i < 6; ++i) args.raw[i] = block.arguments[i];
  return block.call(args, block.deadline_ns);
}

}  // namespace guest
