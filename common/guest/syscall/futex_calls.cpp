// The futex system call: operations and deadlines; waiting itself is proc/futex.h.
#include "guest/abi/structs.h"
#include "guest/base/clock.h"
#include "guest/mm/user.h"
#include "guest/proc/futex.h"
#include "guest/syscall/handlers.h"
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

}  // namespace

Result<std::int64_t> sys_futex(const Args& args) {
  enum { wait = 0, wake = 1, wait_bitset = 9, wake_bitset = 10 };
  constexpr std::uint32_t private_flag = 128, realtime_flag = 256;
  UserAddress address = args.user(0);
  std::uint32_t operation = args.u32(1) & ~(private_flag | realtime_flag);
  const auto scope = args.u32(1) & private_flag ? FutexScope::one_space : FutexScope::anybody;
  bool with_bits = operation == wait_bitset || operation == wake_bitset;
  std::uint32_t bits = with_bits ? args.u32(5) : ~0u;
  if (address.value % sizeof(std::uint32_t) || bits == 0) return Errno::inval;
  if (operation == wait || operation == wait_bitset) {
    auto deadline =
        TRY(futex_deadline(args.user(3), operation == wait, args.u32(1) & realtime_flag));
    TRY(futex_wait(address, scope, args.u32(2), bits, deadline));
    return 0;
  }
  if (operation != wake && operation != wake_bitset) return Errno::nosys;
  return TRY(futex_wake(address, scope, args.i32(2), bits));
}

}  // namespace guest
