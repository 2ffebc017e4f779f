// The futex system call: operations and deadlines; waiting itself is proc/futex.h. Like it, calls
// that only concern threads which share memory.
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
  const std::uint64_t deadline = monotonic_deadline(ns, !relative, realtime);
  return deadline ? deadline : 1;
}

constexpr std::uint32_t private_flag = 128, realtime_flag = 256;

enum : std::uint32_t {
  op_wait = 0,
  op_wake = 1,
  op_requeue = 3,
  op_cmp_requeue = 4,
  op_wake_op = 5,
  op_wait_bitset = 9,
  op_wake_bitset = 10,
};

std::uint32_t operation_of(const Args& args) {
  return args.u32(1) & ~(private_flag | realtime_flag);
}

std::uint32_t bits_of(const Args& args) {
  const std::uint32_t operation = operation_of(args);
  return operation == op_wait_bitset || operation == op_wake_bitset ? args.u32(5) : ~0u;
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

Result<std::int64_t> wait(const Args& args) {
  if (bits_of(args) == 0) return Errno::inval;
  const bool relative = operation_of(args) == op_wait;
  return wait_until(args, TRY(futex_deadline(args.user(3), relative, args.u32(1) & realtime_flag)));
}

Result<std::int64_t> wake(const Args& args) {
  if (bits_of(args) == 0) return Errno::inval;
  return TRY(futex_wake(args.user(0), scope_of(args), args.i32(2), bits_of(args)));
}

/// The fourth argument is a number here: how many to move, or to wake at the second word.
Result<std::int64_t> requeue(const Args& args) {
  if (args.i32(2) < 0 || args.i32(3) < 0) return Errno::inval;
  const std::uint32_t expected = args.u32(5);
  return TRY(futex_requeue(args.user(0), args.user(4), scope_of(args), args.i32(2), args.i32(3),
                           operation_of(args) == op_cmp_requeue ? &expected : nullptr));
}

/// What FUTEX_WAKE_OP does to the second word, packed into the sixth argument.
struct WordChange {
  explicit WordChange(std::uint32_t packed)
      : operation(packed >> 28 & 7),
        comparison(packed >> 24 & 15),
        operand(sign_extended(packed >> 12)),
        compared(sign_extended(packed)) {
    if (packed >> 31) operand = 1u << (operand & 31);
  }
  std::uint32_t operation, comparison;
  std::uint32_t operand, compared;

  [[nodiscard]] Result<std::uint32_t> apply(std::uint32_t word) const {
    enum { set = 0, add = 1, or_in = 2, and_not = 3, exclusive_or = 4 };
    switch (operation) {
      case set:
        return operand;
      case add:
        return word + operand;
      case or_in:
        return word | operand;
      case and_not:
        return word & ~operand;
      case exclusive_or:
        return word ^ operand;
      default:
        return Errno::nosys;
    }
  }
  [[nodiscard]] Result<bool> compare(std::uint32_t word) const {
    const auto left = static_cast<std::int32_t>(word), right = static_cast<std::int32_t>(compared);
    const bool less = left < right, same = left == right;
    const bool answers[] = {same, !same, less, less || same, !less && !same, !less};
    if (comparison >= sizeof answers) return Errno::nosys;
    return answers[comparison];
  }

 private:
  static std::uint32_t sign_extended(std::uint32_t twelve_bits) {
    return static_cast<std::uint32_t>(static_cast<std::int32_t>(twelve_bits << 20) >> 20);
  }
};

Result<std::int64_t> wake_op(const Args& args) {
  const WordChange change(args.u32(5));
  const UserAddress second = args.user(4);
  const FutexScope scope = scope_of(args);
  // Nobody runs between reading the word and writing it.
  const auto before = TRY(get_user<std::uint32_t>(second));
  TRY(put_user(second, TRY(change.apply(before))));
  const bool also = TRY(change.compare(before));
  int count = TRY(futex_wake(args.user(0), scope, args.i32(2)));
  if (also) count += TRY(futex_wake(second, scope, args.i32(3)));
  return count;
}

struct Operation {
  std::uint32_t number;
  Result<std::int64_t> (*call)(const Args&);
  bool takes_realtime = false;
  bool two_words = false;
};

constexpr Operation operations[] = {
    {op_wait, wait, true},
    {op_wake, wake},
    {op_wait_bitset, wait, true},
    {op_wake_bitset, wake},
    {op_requeue, requeue, false, true},
    {op_cmp_requeue, requeue, false, true},
    {op_wake_op, wake_op, false, true},
};

const Operation* find_operation(std::uint32_t number) {
  for (const Operation& operation : operations)
    if (operation.number == number) return &operation;
  return nullptr;
}

}  // namespace

Result<std::int64_t> sys_futex(const Args& args) {
  const Operation* operation = find_operation(operation_of(args));
  if (!operation) return Errno::nosys;
  if ((args.u32(1) & realtime_flag) && !operation->takes_realtime) return Errno::nosys;
  if (args.user(0).value % sizeof(std::uint32_t)) return Errno::inval;
  if (operation->two_words && args.user(4).value % sizeof(std::uint32_t)) return Errno::inval;
  return operation->call(args);
}

Result<std::int64_t> sys_membarrier(const Args& args) {
  // One CPU: whoever runs has seen what all others did.
  constexpr std::uint32_t query = 0, global = 1, commands = 0x7f;
  const std::uint32_t command = args.u32(0);
  if (command == query) return args.u32(1) ? Errno::inval : Result<std::int64_t>(commands);
  const bool one_bit = (command & (command - 1)) == 0;
  if (!one_bit || !(command & commands)) return Errno::inval;
  if (args.u32(1) && command == global) return Errno::inval;
  return 0;
}

}  // namespace guest
