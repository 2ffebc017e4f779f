// System calls of the three interval timers: setitimer, getitimer, alarm. What they do is in
// proc/interval_timer.h.
#include <algorithm>

#include "guest/abi/structs.h"
#include "guest/mm/user.h"
#include "guest/proc/process.h"
#include "guest/syscall/handlers.h"
#include "guest/syscall/time_values.h"

namespace guest {

namespace {

/// EINVAL.
Result<IntervalTimer*> find_timer(int which) {
  constexpr int timers = sizeof(Process::interval_timers) / sizeof(IntervalTimer);
  if (which < 0 || which >= timers) return Errno::inval;
  return &current_process().interval_timers[which];
}

/// One that is due is not over yet: never 0 for it.
abi::IntervalTimer setting_of(const IntervalTimer& timer) {
  const std::uint64_t left = timer.left_ns();
  return {to_timeval(timer.interval_ns()), to_timeval(left ? std::max(left, ns_per_us) : 0)};
}

void set(IntervalTimer& timer, std::uint64_t value_ns, std::uint64_t interval_ns) {
  timer.stop();
  if (value_ns) timer.start(value_ns, interval_ns);
}

}  // namespace

Result<std::int64_t> sys_getitimer(const Args& args) {
  TRY(put_user(args.user(1), setting_of(*TRY(find_timer(args.i32(0))))));
  return 0;
}

Result<std::int64_t> sys_setitimer(const Args& args) {
  abi::IntervalTimer wanted{};
  if (args.user(1)) wanted = TRY(get_user<abi::IntervalTimer>(args.user(1)));
  const std::uint64_t value = TRY(to_ns(wanted.value)), interval = TRY(to_ns(wanted.interval));
  IntervalTimer& timer = *TRY(find_timer(args.i32(0)));
  const abi::IntervalTimer old = setting_of(timer);
  set(timer, value, interval);
  if (args.user(2)) TRY(put_user(args.user(2), old));
  return 0;
}

Result<std::int64_t> sys_alarm(const Args& args) {
  IntervalTimer& timer = current_process().interval_timers[0];
  const abi::Timeval left = setting_of(timer).value;
  set(timer, args.u32(0) * ns_per_second, 0);
  // To the nearest second, but an armed alarm never reads as none.
  const std::int64_t seconds = left.seconds + (left.microseconds >= 500'000 ? 1 : 0);
  return seconds == 0 && left.microseconds != 0 ? 1 : seconds;
}

}  // namespace guest
