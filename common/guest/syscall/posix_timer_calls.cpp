// System calls of POSIX timers: timer_create and its family.
#include <utility>

#include "guest/abi/structs.h"
#include "guest/base/clock.h"
#include "guest/mm/user.h"
#include "guest/proc/process.h"
#include "guest/syscall/clocks.h"
#include "guest/syscall/handlers.h"
#include "guest/syscall/time_values.h"

namespace guest {

namespace {

constexpr std::uint32_t absolute_flag = 1;

Result<PosixTimer*> timer_argument(const Args& args) {
  return find_posix_timer(current_process(), args.i32(0));
}

bool is_own_thread(int tid) {
  const Thread* thread = processes.find_thread(tid);
  return thread && &thread->process == &current_process() && !thread->ended;
}

/// EINVAL: no such way to notify. SIGEV_THREAD is made of these by the C library.
Result<> check(const abi::SignalEvent& event) {
  switch (event.notify) {
    case abi::notify_none:
      return {};
    case abi::notify_thread_id:
      if (!is_own_thread(event.thread)) return Errno::inval;
      [[fallthrough]];
    case abi::notify_signal:
      return event.signal >= 1 && event.signal <= sig_last ? Result<>() : Errno::inval;
    default:
      return Errno::inval;
  }
}

abi::TimerSetting setting_of(const PosixTimer& timer) {
  const bool counts = timer.timer.armed() && !timer.is_of_nobody();
  const std::uint64_t left = counts ? timer.timer.left_ns(timer.clock.now()) : 0;
  return {to_timespec(timer.interval_ns), to_timespec(left)};
}

std::uint64_t deadline_of(const PosixTimer& timer, std::uint64_t ns, bool absolute) {
  if (!timer.clock.counts_cpu_time()) return monotonic_deadline(ns, absolute, timer.real_time);
  return absolute ? ns : timer.clock.now() + ns;
}

}  // namespace

Result<std::int64_t> sys_timer_create(const Args& args) {
  const int clock = args.i32(0);
  abi::SignalEvent event{};
  event.signal = sig_alrm;
  if (args.user(1)) event = TRY(get_user<abi::SignalEvent>(args.user(1)));
  TRY(check_use(clock, ClockUse::timer));
  TRY(check(event));
  CpuClock counted;
  if (is_of_cpu_time(clock)) counted = TRY(find_cpu_clock(clock, false));
  PosixTimer* timer = TRY(create_posix_timer(current_process()));
  timer->clock = counted.clock;
  if (counted.process.get() != &current_process()) timer->counted = std::move(counted.process);
  timer->real_time = tells_real_time(clock);
  timer->signal = event.notify == abi::notify_none ? 0 : event.signal;
  timer->thread = event.notify == abi::notify_thread_id ? event.thread : 0;
  timer->value = args.user(1) ? event.value : static_cast<std::uint64_t>(timer->id);
  if (auto put = put_user(args.user(2), timer->id); !put.ok()) {
    delete timer;
    return put.error();
  }
  return 0;
}

Result<std::int64_t> sys_timer_settime(const Args& args) {
  PosixTimer& timer = *TRY(timer_argument(args));
  auto wanted = TRY(get_user<abi::TimerSetting>(args.user(2)));
  std::uint64_t value = TRY(to_ns(wanted.value)), interval = TRY(to_ns(wanted.interval));
  abi::TimerSetting old = setting_of(timer);
  if (timer.is_of_nobody()) return Errno::srch;
  timer.interval_ns = value ? interval : 0;
  timer.overruns = 0;
  timer.clock.cancel(timer.timer);
  if (value) timer.clock.set(timer.timer, deadline_of(timer, value, args.u32(1) & absolute_flag));
  if (args.user(3)) TRY(put_user(args.user(3), old));
  return 0;
}

Result<std::int64_t> sys_timer_gettime(const Args& args) {
  TRY(put_user(args.user(1), setting_of(*TRY(timer_argument(args)))));
  return 0;
}

Result<std::int64_t> sys_timer_getoverrun(const Args& args) {
  return TRY(timer_argument(args))->overruns_told;
}

Result<std::int64_t> sys_timer_delete(const Args& args) {
  delete TRY(timer_argument(args));
  return 0;
}

}  // namespace guest
