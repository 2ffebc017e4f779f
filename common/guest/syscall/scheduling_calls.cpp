// System calls about the CPU: whose turn it is, on which one, how nice, by which policy. There is
// one CPU, number 0, and one policy, round robin: niceness, policies and priorities of input and
// output are checked, kept and reported, and have no effect.
#include <algorithm>

#include "guest/abi/structs.h"
#include "guest/mm/user.h"
#include "guest/proc/permission.h"
#include "guest/sched/run_queue.h"
#include "guest/syscall/handlers.h"
#include "guest/syscall/time_values.h"

namespace guest {

namespace {

constexpr int priority_of_process = 0;
enum Policy {
  policy_other = 0,
  policy_fifo = 1,
  policy_round_robin = 2,
  policy_batch = 3,
  policy_idle = 5,
  policy_deadline = 6
};
constexpr int reset_on_fork = 0x4000'0000;

bool real_time(int policy) {
  return policy == policy_fifo || policy == policy_round_robin;
}
bool known(int policy) {
  return real_time(policy) || policy == policy_other || policy == policy_batch ||
         policy == policy_idle;
}

Result<Process*> target_of(int pid) {
  if (pid < 0) return Errno::inval;
  return process_or_self(pid);
}

Result<> set_policy(Process& target, int policy, int priority) {
  policy &= ~reset_on_fork;
  if (!known(policy)) return Errno::inval;
  if (real_time(policy) ? priority < 1 || priority > 99 : priority != 0) return Errno::inval;
  TRY(may_schedule(target));
  if (real_time(policy) && current_thread().credentials.euid != 0) return Errno::perm;
  target.scheduling.policy = policy;
  target.scheduling.priority = priority;
  return {};
}

}  // namespace

Result<std::int64_t> sys_sched_yield(const Args&) {
  scheduler.yield();
  return 0;
}

Result<std::int64_t> sys_sched_getaffinity(const Args& args) {
  TRY(process_or_self(args.i32(0)));
  constexpr std::uint64_t cpus = 1;
  if (args.u64(1) < sizeof cpus || args.u64(1) % sizeof cpus) return Errno::inval;
  TRY(put_user(args.user(2), cpus));
  return sizeof cpus;
}

Result<std::int64_t> sys_sched_setaffinity(const Args& args) {
  Process& target = *TRY(process_or_self(args.i32(0)));
  std::uint8_t first = 0;
  if (args.u64(1) != 0) first = TRY(get_user<std::uint8_t>(args.user(2)));
  TRY(may_schedule(target));
  if (!(first & 1)) return Errno::inval;
  return 0;
}

Result<std::int64_t> sys_getcpu(const Args& args) {
  if (args.user(0)) TRY(put_user(args.user(0), std::uint32_t{0}));
  if (args.user(1)) TRY(put_user(args.user(1), std::uint32_t{0}));
  return 0;
}

// The kernel's answer is 20 minus the nice value.
Result<std::int64_t> sys_getpriority(const Args& args) {
  if (args.i32(0) != priority_of_process) return Errno::inval;
  return 20 - TRY(process_or_self(args.i32(1)))->nice;
}

Result<std::int64_t> sys_setpriority(const Args& args) {
  if (args.i32(0) != priority_of_process) return Errno::inval;
  Process& target = *TRY(process_or_self(args.i32(1)));
  TRY(may_schedule(target));
  const int nice = std::clamp(args.i32(2), -20, 19);
  if (nice < target.nice && current_thread().credentials.euid != 0) return Errno::acces;
  target.nice = nice;
  return 0;
}

Result<std::int64_t> sys_sched_getscheduler(const Args& args) {
  return TRY(target_of(args.i32(0)))->scheduling.policy;
}

Result<std::int64_t> sys_sched_setscheduler(const Args& args) {
  if (args.i32(0) < 0 || args.i32(1) < 0 || !args.user(2)) return Errno::inval;
  const int priority = TRY(get_user<int>(args.user(2)));
  TRY(set_policy(*TRY(target_of(args.i32(0))), args.i32(1), priority));
  return 0;
}

Result<std::int64_t> sys_sched_getparam(const Args& args) {
  if (!args.user(1)) return Errno::inval;
  TRY(put_user(args.user(1), TRY(target_of(args.i32(0)))->scheduling.priority));
  return 0;
}

Result<std::int64_t> sys_sched_setparam(const Args& args) {
  if (args.i32(0) < 0 || !args.user(1)) return Errno::inval;
  const int priority = TRY(get_user<int>(args.user(1)));
  Process& target = *TRY(target_of(args.i32(0)));
  TRY(set_policy(target, target.scheduling.policy, priority));
  return 0;
}

Result<std::int64_t> sys_sched_get_priority_max(const Args& args) {
  if (real_time(args.i32(0))) return 99;
  return known(args.i32(0)) || args.i32(0) == policy_deadline ? Result<std::int64_t>(0)
                                                              : Errno::inval;
}
Result<std::int64_t> sys_sched_get_priority_min(const Args& args) {
  if (real_time(args.i32(0))) return 1;
  return sys_sched_get_priority_max(args);
}

Result<std::int64_t> sys_sched_rr_get_interval(const Args& args) {
  const bool whole = TRY(target_of(args.i32(0)))->scheduling.policy == policy_fifo;
  TRY(put_user(args.user(1), to_timespec(whole ? 0 : time_slice_ns)));
  return 0;
}

// Of both priorities together: a class in the upper bits, a level of 0 to 7 in the lower.
Result<std::int64_t> sys_ioprio_get(const Args& args) {
  constexpr int of_process = 1, of_group = 2, of_user = 3;
  if (args.i32(0) == of_group || args.i32(0) == of_user) return 0;
  if (args.i32(0) != of_process) return Errno::inval;
  return TRY(process_or_self(args.i32(1)))->scheduling.io_priority;
}

Result<std::int64_t> sys_ioprio_set(const Args& args) {
  constexpr int of_process = 1;
  enum { class_none = 0, class_real_time = 1, class_idle = 3 };
  const int wanted = args.i32(2), kind = wanted >> 13 & 7, level = wanted & 7;
  if (kind > class_idle || (kind == class_none && level != 0)) return Errno::inval;
  if (args.i32(0) != of_process) return Errno::inval;
  if (kind == class_real_time && current_thread().credentials.euid != 0) return Errno::perm;
  Process& target = *TRY(process_or_self(args.i32(1)));
  TRY(may_schedule(target));
  target.scheduling.io_priority = wanted;
  return 0;
}

}  // namespace guest
