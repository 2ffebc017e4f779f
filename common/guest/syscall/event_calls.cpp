// eventfd, timerfd, signalfd and their forms: files that one waits for. What they do is in
// fs/events; here arguments are taken apart and descriptors given out.
#include "guest/abi/file_flags.h"
#include "guest/base/clock.h"
#include "guest/fs/events/event_counter.h"
#include "guest/fs/events/signal_file.h"
#include "guest/fs/events/timer_file.h"
#include "guest/proc/process.h"
#include "guest/syscall/path_arguments.h"
#include "guest/syscall/time_values.h"

namespace guest {

namespace {

constexpr std::uint32_t common_flags = abi::o_cloexec | abi::o_nonblock;

// -- timerfd

constexpr std::uint32_t absolute_flag = 1, cancel_on_set_flag = 2;

/// True: it counts on CLOCK_REALTIME. Alarms do not differ from others: a guest does not sleep.
Result<bool> counts_real_time(int clock) {
  enum { realtime = 0, monotonic = 1, boottime = 7, realtime_alarm = 8, boottime_alarm = 9 };
  const bool alarm = clock == realtime_alarm || clock == boottime_alarm;
  if (alarm && current_thread().credentials.euid != 0) return Errno::perm;
  if (clock == realtime || clock == realtime_alarm) return true;
  if (clock == monotonic || clock == boottime || alarm) return false;
  return Errno::inval;
}

abi::TimerSetting setting_of(TimerFile& timer) {
  const TimerFile::Setting setting = timer.setting();
  return {to_timespec(setting.interval_ns), to_timespec(setting.left_ns)};
}

// -- signalfd

Result<std::int64_t> signal_file(int fd, UserAddress mask, std::uint64_t bytes,
                                 std::uint32_t flags) {
  if (flags & ~common_flags) return Errno::inval;
  if (bytes != sizeof(SignalSet)) return Errno::inval;
  const SignalSet taken = TRY(get_user<SignalSet>(mask)) & ~unstoppable_signals;
  if (fd == -1) {
    TRY(check_room_for_files(1));
    return install_file(TRY(make_signal_file(taken, flags & abi::o_nonblock)), flags);
  }
  TRY(file_argument_as<SignalFile>(fd))->take(taken);
  return fd;
}

}  // namespace

Result<std::int64_t> sys_eventfd2(const Args& args) {
  constexpr std::uint32_t one_by_one = 1;
  const std::uint32_t flags = args.u32(1);
  if (flags & ~(common_flags | one_by_one)) return Errno::inval;
  TRY(check_room_for_files(1));
  return install_file(
      TRY(make_event_counter(args.u32(0), flags & one_by_one, flags & abi::o_nonblock)), flags);
}

Result<std::int64_t> sys_eventfd(const Args& args) {
  return sys_eventfd2({{args.u64(0), 0}});
}

Result<std::int64_t> sys_timerfd_create(const Args& args) {
  if (args.u32(1) & ~common_flags) return Errno::inval;
  const bool real_time = TRY(counts_real_time(args.i32(0)));
  TRY(check_room_for_files(1));
  return install_file(TRY(make_timer_file(real_time, args.u32(1) & abi::o_nonblock)), args.u32(1));
}

Result<std::int64_t> sys_timerfd_settime(const Args& args) {
  auto wanted = TRY(get_user<abi::TimerSetting>(args.user(2)));
  const std::uint64_t value = TRY(to_ns(wanted.value)), interval = TRY(to_ns(wanted.interval));
  if (args.u32(1) & ~(absolute_flag | cancel_on_set_flag)) return Errno::inval;
  const Ref<TimerFile> timer = TRY(file_argument_as<TimerFile>(args.i32(0)));
  const abi::TimerSetting old = setting_of(*timer);
  const bool absolute = args.u32(1) & absolute_flag;
  timer->set(value ? monotonic_deadline(value, absolute, timer->real_time) : 0, interval);
  if (args.user(3)) TRY(put_user(args.user(3), old));
  return 0;
}

Result<std::int64_t> sys_timerfd_gettime(const Args& args) {
  const Ref<TimerFile> timer = TRY(file_argument_as<TimerFile>(args.i32(0)));
  TRY(put_user(args.user(1), setting_of(*timer)));
  return 0;
}

Result<std::int64_t> sys_signalfd4(const Args& args) {
  return signal_file(args.i32(0), args.user(1), args.u64(2), args.u32(3));
}

Result<std::int64_t> sys_signalfd(const Args& args) {
  return signal_file(args.i32(0), args.user(1), args.u64(2), 0);
}

}  // namespace guest
