// System calls of POSIX timers: timer_create and its family, on the clocks that tell the time.
#include "guest/abi/structs.h"
#include "guest/base/clock.h"
#include "guest/mm/user.h"
#include "guest/proc/process.h"
#include "guest/syscall/handlers.h"
#include "guest/syscall/time_values.h"

namespace guest {

namespace {

constexpr std::uint32_t absolute_flag = 1;

Result<PosixTimer*> timer_argument(const Args& args) {
  return find_posix_timer(current_process(), args.i32(0));
}

/// True: it counts on CLOCK_REALTIME.
Result<bool> counts_real_time(int clock) {
  enum { realtime = 0, monotonic = 1, boottime = 7, tai = 11 };
  if (clock != realtime && clock != monotonic && clock != boottime && clock != tai)
    return Errno::inval;
  return clock == realtime || clock == tai;
}

/// EINVAL: no such way to notify. Threads are the C library's way of SIGEV_THREAD: there are none.
Result<> check(const abi::SignalEvent& event) {
  switch (event.notify) {
    case abi::notify_none:
      return {};
    case abi::notify_thread_id:
      if (event.thread != current_thread().tid) return Errno::inval;
      [[fallthrough]];
    case abi::notify_signal:
      return event.signal >= 1 && event.signal <= sig_last ? Result<>() : Errno::inval;
    default:
      return Errno::inval;
  }
}

abi::TimerSetting setting_of(const PosixTimer& timer) {
  return {to_timespec(timer.interval_ns), to_timespec(timer.timer.left_ns(monotonic_ns()))};
}

}  // namespace

Result<std::int64_t> sys_timer_create(const Args& args) {
  bool real_time = TRY(counts_real_time(args.i32(0)));
  abi::SignalEvent event{};
  event.signal = sig_alrm;
  if (args.user(1)) event = TRY(get_user<abi::SignalEvent>(args.user(1)));
  TRY(check(event));
  PosixTimer* timer = TRY(create_posix_timer(current_process()));
  timer->real_time = real_time;
  timer->signal = event.notify == abi::notify_none ? 0 : event.signal;
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
  timer.interval_ns = value ? interval : 0;
  timer.overruns = 0;
  if (value)
    scheduler.set_timer(timer.timer,
                        monotonic_deadline(value, args.u32(1) & absolute_flag, timer.real_time));
  else
    scheduler.cancel_timer(timer.timer);
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
