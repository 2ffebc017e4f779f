// The futex system call: operations and deadlines; waiting itself is proc/futex.h.
#include "guest/abi/structs.h"
#include "guest/base/clock.h"
#include "guest/mm/user.h"
#include "guest/proc/futex.h"
#include "guest/syscall/handlers.h"
#include "guest/syscall/restart.h"
#include "guest/syscall/time_values.h"

namespace guest {

namespace {

/// When a futex call with this timeout gives up: relative for FUTEX_WAIT, else absolute.
Result<std::uint64_t> futex_deadline(UserAddress timeout, bool relative, bool realtime) {
  if (!timeout) return std::uint64_t{0};
  std::uint64_t ns = TRY(to_ns(TRY(get_user<abi::Timespec>(timeout))));
  if (relative) return monotonic_ns() + ns;
  if (!realtime) return ns ? ns : 1;
  std::uint64_t now = realtime_ns();
  return monotonic_ns() + (ns > now ? ns - now : 0);
}

constexpr std::uint32_t wait_bitset = 9, wake_bitset = 10;
constexpr std::uint32_t private_flag = 128, realtime_flag = 256;

std::uint32_t operation_of(const Args& args) {
  return args.u32(1) & ~(private_flag | realtime_flag);
}

std::uint32_t bits_of(const Args& args) {
  const std::uint32_t operation = operation_of(args);
  return operation == wait_bitset || operation == wake_bitset ? args.u32(5) : ~0u;
}

FutexScope scope_of(const Args& args) {
  return args.u32(1) & private_flag ? FutexScope::one_space : FutexScope::anybody;
}

Result<std::int64_t> wait_until(const Args& args, std::uint64_t deadline) {
  auto waited = futex_wait(args.user(0), scope_of(args), args.u32(2), bits_of(args), deadline);
  if (waited.ok()) return 0;
  if (deadline && is_restart(waited.error())) return restart_until(wait_until, args, deadline);
  return waited.error();
}

}  // namespace

Result<std::int64_t> sys_futex(const Args& args) {
  enum { wait = 0, wake = 1 };
  const std::uint32_t operation = operation_of(args), bits = bits_of(args);
  UserAddress address = args.user(0);
  if (address.value % sizeof(std::uint32_t) || bits == 0) return Errno::inval;
  if (operation == wait || operation == wait_bitset)
    return wait_until(
        args, TRY(futex_deadline(args.user(3), operation == wait, args.u32(1) & realtime_flag)));
  if (operation != wake && operation != wake_bitset) return Errno::nosys;
  return TRY(futex_wake(address, scope_of(args), args.i32(2), bits));
}

}  // namespace guest
