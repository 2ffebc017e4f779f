// System calls that tell the time and sleep. Time comes from base/clock.h without a
// host call; sleeping is the scheduler's timer list.
#include <new>

#include "guest/abi/structs.h"
#include "guest/base/clock.h"
#include "guest/mm/user.h"
#include "guest/proc/process.h"
#include "guest/syscall/clocks.h"
#include "guest/syscall/handlers.h"
#include "guest/syscall/restart.h"
#include "guest/syscall/time_values.h"

namespace guest {

namespace {

constexpr std::uint32_t timer_absolute = 1;

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

/// Others reach it while its thread sleeps: it lies on the heap (sched/listener.h).
struct CpuSleep : Allocated<HeapKind::file> {
  explicit CpuSleep(Thread& thread) : thread(thread) {}
  Thread& thread;
  bool over = false;
  Timer timer{[](Timer& timer) {
                auto& self = *static_cast<CpuSleep*>(timer.owner);
                self.over = true;
                scheduler.wake(self.thread);
              },
              this};
};

/// Until that time of a CPU clock. What is left, 0 if it is over; else a signal came.
Result<std::uint64_t> sleep_on_cpu_clock(int clock_id, std::uint64_t deadline) {
  const CpuClock of = TRY(find_cpu_clock(clock_id, false));
  if (deadline <= of.clock.now()) return std::uint64_t{0};
  CpuSleep* sleep = new (std::nothrow) CpuSleep(current_thread());
  if (!sleep) return Errno::nomem;
  of.clock.set(sleep->timer, deadline);
  while (!sleep->over && scheduler.block().ok()) {
  }
  // It is in no list, either, if the thread whose time it is has ended.
  std::uint64_t left = 0;
  if (sleep->timer.armed()) {
    left = sleep->timer.left_ns(of.clock.now());
    of.clock.cancel(sleep->timer);
  }
  delete sleep;
  return left;
}

/// The arguments: where what is left is told, if anywhere, and the clock.
Result<std::int64_t> go_on_sleeping_on_cpu_clock(const Args& args, std::uint64_t deadline) {
  const std::uint64_t left = TRY(sleep_on_cpu_clock(args.i32(1), deadline));
  if (left == 0) return 0;
  if (args.user(0)) TRY(put_user(args.user(0), to_timespec(left)));
  return restart_until(go_on_sleeping_on_cpu_clock, args, deadline);
}

/// EINVAL: one's own CPU time, which would not pass meanwhile.
Result<std::int64_t> sleep_by_cpu_time(int clock, std::uint64_t ns, bool absolute,
                                       UserAddress remainder) {
  const CpuClock of = TRY(find_cpu_clock(clock, false));
  if (of.clock.is_of(current_thread())) return Errno::inval;
  if (!absolute)
    return go_on_sleeping_on_cpu_clock(Args{{remainder.value, static_cast<std::uint32_t>(clock)}},
                                       of.clock.now() + ns);
  if (TRY(sleep_on_cpu_clock(clock, ns)) != 0) return Errno::restart_unless_handled;
  return 0;
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
  const std::uint64_t resolution = TRY(resolution_of(args.i32(0)));
  if (args.user(1)) TRY(put_user(args.user(1), to_timespec(resolution)));
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

/// As without the capability for it.
Result<std::int64_t> sys_clock_settime(const Args& args) {
  const int clock = args.i32(0);
  if (clock >= 0 && clock != clock_realtime) return Errno::inval;
  const auto time = TRY(get_user<abi::Timespec>(args.user(1)));
  if (clock < 0)
    TRY(find_cpu_clock(clock, false));
  else
    TRY(to_ns(time));
  return Errno::perm;
}

Result<std::int64_t> sys_settimeofday(const Args&) {
  return Errno::perm;
}

Result<std::int64_t> sys_nanosleep(const Args& args) {
  return sleep_for(TRY(to_ns(TRY(get_user<abi::Timespec>(args.user(0))))), args.user(1));
}

Result<std::int64_t> sys_clock_nanosleep(const Args& args) {
  const int clock = args.i32(0);
  const bool absolute = args.u32(1) & timer_absolute;
  TRY(check_use(clock, ClockUse::sleep));
  const std::uint64_t time = TRY(to_ns(TRY(get_user<abi::Timespec>(args.user(2)))));
  if (is_of_cpu_time(clock)) return sleep_by_cpu_time(clock, time, absolute, args.user(3));
  if (!absolute) return sleep_for(time, args.user(3));
  const std::uint64_t now = TRY(read_clock(clock));
  if (time <= now) return 0;
  if (!sleep_until(monotonic_ns() + (time - now))) return Errno::restart_unless_handled;
  return 0;
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
