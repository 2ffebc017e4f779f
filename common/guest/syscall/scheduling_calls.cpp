// System calls about the CPU: whose turn it is, on which one, how nice. There is one CPU, number 0.
#include "guest/mm/user.h"
#include "guest/proc/process.h"
#include "guest/syscall/handlers.h"

namespace guest {

namespace {

constexpr int priority_of_process = 0;

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
  TRY(process_or_self(args.i32(0)));
  std::uint8_t first = 0;
  if (args.u64(1) != 0) first = TRY(get_user<std::uint8_t>(args.user(2)));
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
  int nice = args.i32(2);
  TRY(process_or_self(args.i32(1)))->nice = nice < -20 ? -20 : nice > 19 ? 19 : nice;
  return 0;
}

}  // namespace guest
