// System calls that tell the time, sleep, and set alarms. Time comes from base/clock.h without a
// host call; sleeping is the scheduler's timer list.
#include "guest/abi/structs.h"
#include "guest/base/clock.h"
#include "guest/mm/user.h"
#include "guest/proc/process.h"
#include "guest/syscall/handlers.h"
#include "guest/syscall/restart.h"
#include "guest/syscall/time_values.h"

namespace guest {

namespace {

enum ClockId : int {
  clock_realtime = 0,
  clock_monotonic = 1,
  clock_process_cpu = 2,
  clock_thread_cpu = 3,
  clock_monotonic_raw = 4,
  clock_realtime_coarse = 5,
  clock_monotonic_coarse = 6,
  clock_boottime = 7,
  clock_tai = 11,
};
constexpr std::uint32_t timer_absolute = 1;
constexpr int timer_real = 0;

Result<std::uint64_t> read_clock(int clock) {
  switch (clock) {
    case clock_realtime:
    case clock_realtime_coarse:
    case clock_tai:
      return realtime_ns();
    case clock_monotonic:
    case clock_monotonic_raw:
    case clock_monotonic_coarse:
    case clock_boottime:
      return monotonic_ns();
    case clock_process_cpu:
      return ticks_to_ns(current_process().cpu_time().all);
    case clock_thread_cpu:
      return ticks_to_ns(scheduler.cpu_time(current_thread()).all);
    default:
      return Errno::inval;
  }
}

/// False: a signal came first.
bool sleep_until(std::uint64_t deadline) {
  Errno slept = Errno::ok;
  while (slept == Errno::ok) slept = scheduler.block(deadline).error();
  return slept == Errno::timedout;
}

/// The first argument: where what is left is told, if anywhere.
Result<std::int64_t> go_on_sleeping(const Args& remainder, std::uint64_t deadline) {
  if (sleep_until(deadline)) return 0;
  const std::uint64_t now = monotonic_ns();
  if (deadline <= now) return 0;
  if (remainder.user(0)) TRY(put_user(remainder.user(0), to_timespec(deadline - now)));
  return restart_until(go_on_sleeping, remainder, deadline);
}

Result<std::int64_t> sleep_for(std::uint64_t ns, UserAddress remainder) {
  return go_on_sleeping(Args{{remainder.value}}, monotonic_ns() + ns);
}

abi::IntervalTimer alarm_now(Process& process) {
  std::uint64_t now = monotonic_ns(), left = 0;
  // An armed timer that is due is not over yet: never report 0 for it.
  if (process.alarm.armed())
    left = process.alarm.deadline > now + ns_per_us ? process.alarm.deadline - now : ns_per_us;
  return {to_timeval(process.alarm_interval_ns), to_timeval(left)};
}

void set_alarm(Process& process, std::uint64_t ns, std::uint64_t interval_ns) {
  process.alarm_interval_ns = interval_ns;
  if (ns)
    scheduler.set_timer(process.alarm, monotonic_ns() + ns);
  else
    scheduler.cancel_timer(process.alarm);
}

std::int64_t to_user_ticks(std::uint64_t ns) {
  return static_cast<std::int64_t>(ns / ns_per_tick);
}

}  // namespace

Result<std::int64_t> sys_clock_gettime(const Args& args) {
  TRY(put_user(args.user(1), to_timespec(TRY(read_clock(args.i32(0))))));
  return 0;
}

Result<std::int64_t> sys_clock_getres(const Args& args) {
  int clock = args.i32(0);
  TRY(read_clock(clock));
  if (args.user(1)) TRY(put_user(args.user(1), to_timespec(1)));
  return 0;
}

Result<std::int64_t> sys_gettimeofday(const Args& args) {
  struct Timezone {
    std::int32_t minutes_west, daylight;
  };
  if (args.user(0)) TRY(put_user(args.user(0), to_timeval(realtime_ns())));
  if (args.user(1)) TRY(put_user(args.user(1), Timezone{}));
  return 0;
}

Result<std::int64_t> sys_time(const Args& args) {
  auto seconds = static_cast<std::int64_t>(realtime_ns() / ns_per_second);
  if (args.user(0)) TRY(put_user(args.user(0), seconds));
  return seconds;
}

Result<std::int64_t> sys_clock_settime(const Args&) {
  return Errno::perm;
}

Result<std::int64_t> sys_settimeofday(const Args&) {
  return Errno::perm;
}

Result<std::int64_t> sys_nanosleep(const Args& args) {
  return sleep_for(TRY(to_ns(TRY(get_user<abi::Timespec>(args.user(0))))), args.user(1));
}

Result<std::int64_t> sys_clock_nanosleep(const Args& args) {
  int clock = args.i32(0);
  if (clock != clock_realtime && clock != clock_monotonic && clock != clock_boottime &&
      clock != clock_tai)
    return Errno::inval;
  std::uint64_t time = TRY(to_ns(TRY(get_user<abi::Timespec>(args.user(2)))));
  if (!(args.u32(1) & timer_absolute)) return sleep_for(time, args.user(3));
  std::uint64_t now = TRY(read_clock(clock));
  if (time <= now) return 0;
  if (!sleep_until(monotonic_ns() + (time - now))) return Errno::restart_unless_handled;
  return 0;
}

Result<std::int64_t> sys_getitimer(const Args& args) {
  if (args.i32(0) != timer_real) return Errno::inval;
  TRY(put_user(args.user(1), alarm_now(current_process())));
  return 0;
}

Result<std::int64_t> sys_setitimer(const Args& args) {
  if (args.i32(0) != timer_real) return Errno::inval;
  Process& self = current_process();
  abi::IntervalTimer wanted{}, old = alarm_now(self);
  if (args.user(1)) wanted = TRY(get_user<abi::IntervalTimer>(args.user(1)));
  std::uint64_t value = TRY(to_ns(wanted.value)), interval = TRY(to_ns(wanted.interval));
  set_alarm(self, value, interval);
  if (args.user(2)) TRY(put_user(args.user(2), old));
  return 0;
}

Result<std::int64_t> sys_alarm(const Args& args) {
  Process& self = current_process();
  abi::Timeval left = alarm_now(self).value;
  set_alarm(self, args.u32(0) * ns_per_second, 0);
  // To the nearest second, but an armed alarm never reads as none.
  std::int64_t seconds = left.seconds + (left.microseconds >= 500'000 ? 1 : 0);
  return seconds == 0 && left.microseconds != 0 ? 1 : seconds;
}

Result<std::int64_t> sys_times(const Args& args) {
  if (args.user(0)) {
    abi::Times times{};
    const CpuShares& own = current_process().cpu_shares();
    const CpuShares& children = current_process().cpu_of_children;
    times.user = to_user_ticks(ticks_to_ns(own.user));
    times.system = to_user_ticks(ticks_to_ns(own.system));
    times.children_user = to_user_ticks(ticks_to_ns(children.user));
    times.children_system = to_user_ticks(ticks_to_ns(children.system));
    TRY(put_user(args.user(0), times));
  }
  return to_user_ticks(monotonic_ns());
}

}  // namespace guest
