// See timer_clock.h. Deadlines come from system calls, from fork and exit, and from expiries.
#include "guest/proc/timer_clock.h"

#include <algorithm>

#include "guest/base/clock.h"
#include "guest/proc/process.h"

namespace guest {

namespace {

/// Nanoseconds of CPU time.
struct Times {
  std::uint64_t all, user;
};
Times times_of(Process& process) {
  return {ticks_to_ns(process.cpu_time().all), ticks_to_ns(process.cpu_shares().user)};
}
Times times_of(Thread& thread) {
  return {ticks_to_ns(scheduler.cpu_time(thread).all),
          ticks_to_ns(scheduler.cpu_shares(thread).user)};
}

constexpr std::uint64_t never = ~0ull;

std::uint64_t left_on(const TimerList& list, std::uint64_t now) {
  const std::uint64_t deadline = list.next_deadline();
  if (deadline == 0) return never;
  return deadline > now ? deadline - now : 0;
}

template <class Owner>
std::uint64_t first_of(Owner& owner) {
  CpuTimers& timers = owner.cpu_timers;
  if (!timers.any) return never;
  const Times now = times_of(owner);
  const std::uint64_t left = std::min(left_on(timers.on_all, now.all),  //
                                      left_on(timers.on_user, now.user));
  timers.any = left != never;
  return left;
}

template <class Owner>
void expire(Owner& owner) {
  if (!owner.cpu_timers.any) return;
  const Times now = times_of(owner);
  owner.cpu_timers.on_all.run(now.all);
  owner.cpu_timers.on_user.run(now.user);
}

/// The thread of this process that has the CPU, if one has.
Thread* running_of(const Process& process) {
  if (!scheduler.started()) return nullptr;
  Thread& current = current_thread();
  const bool runs = &current.process == &process && current.state == Task::State::runnable;
  return runs ? &current : nullptr;
}

}  // namespace

TimerClock::TimerClock(Thread& thread, bool user_mode_only)
    : process_(&thread.process), thread_(&thread), user_mode_only_(user_mode_only) {}

CpuTimers& TimerClock::timers() const {
  return thread_ ? thread_->cpu_timers : process_->cpu_timers;
}

TimerList& TimerClock::list() const {
  return user_mode_only_ ? timers().on_user : timers().on_all;
}

std::uint64_t TimerClock::now() const {
  if (!process_) return monotonic_ns();
  const Times times = thread_ ? times_of(*thread_) : times_of(*process_);
  return user_mode_only_ ? times.user : times.all;
}

void TimerClock::set(Timer& timer, std::uint64_t deadline) const {
  if (!process_) return scheduler.set_timer(timer, deadline);
  list().set(timer, deadline);
  timers().any = true;
  if (Thread* running = running_of(*process_))
    watch_cpu_timers(*running);
  else if (deadline <= now())  // due, whether it ever runs again or not
    scheduler.set_timer(process_->cpu_alarm, monotonic_ns());
}

void TimerClock::cancel(Timer& timer) const {
  if (!timer.armed()) return;
  process_ ? list().cancel(timer) : scheduler.cancel_timer(timer);
}

void watch_cpu_timers(Thread& running) {
  Process& process = running.process;
  const std::uint64_t left = std::min(first_of(process), first_of(running));
  if (left != never) scheduler.set_timer(process.cpu_alarm, monotonic_ns() + left);
}

void expire_cpu_timers(Process& process) {
  expire(process);
  for (Thread& thread : process.threads) expire(thread);
  if (Thread* running = running_of(process)) watch_cpu_timers(*running);
}

void forget_cpu_timers(Thread& thread) {
  if (!thread.cpu_timers.any) return;
  thread.cpu_timers.on_all.clear();
  thread.cpu_timers.on_user.clear();
  thread.cpu_timers.any = false;
  for (PosixTimer& timer : thread.process.posix_timers)
    if (timer.clock.is_of(thread)) timer.gone = true;
}

void set_cpu_limit(Process& process) {
  const TimerClock clock(process, false);
  const std::uint64_t seconds = process.limits[abi::limit_cpu].current;
  if (seconds > never / ns_per_second - 1)
    clock.cancel(process.cpu_limit);
  else
    clock.set(process.cpu_limit, std::max<std::uint64_t>(seconds * ns_per_second, 1));
}

// As on Linux: at the soft limit a signal, and the limit is a second later from then on; at the
// hard one the end.
void reach_cpu_limit(Process& process) {
  abi::ResourceLimit& limit = process.limits[abi::limit_cpu];
  if (times_of(process).all / ns_per_second >= limit.maximum)
    return send_signal(process, sig_kill);
  send_signal(process, sig_xcpu);
  ++limit.current;
  set_cpu_limit(process);
}

}  // namespace guest
