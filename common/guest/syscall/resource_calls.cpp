// System calls about what a process may use and has used: limits and usage.
#include "guest/abi/structs.h"
#include "guest/base/clock.h"
#include "guest/mm/address_space.h"
#include "guest/mm/user.h"
#include "guest/proc/permission.h"
#include "guest/syscall/handlers.h"
#include "guest/syscall/time_values.h"
#include "guest/vfs/file_table.h"

namespace guest {

namespace {

Result<> change_limit(Process& process, std::uint32_t resource, const abi::ResourceLimit& wanted) {
  if (wanted.current > wanted.maximum) return Errno::inval;
  if (wanted.maximum > process.limits[resource].maximum && current_thread().credentials.euid != 0)
    return Errno::perm;
  if (resource == abi::limit_nofile && wanted.maximum > FileTable::most) return Errno::perm;
  process.limits[resource] = wanted;
  if (resource == abi::limit_cpu) set_cpu_limit(process);
  return {};
}

}  // namespace

Result<std::int64_t> sys_prlimit64(const Args& args) {
  if (args.u32(1) >= abi::resource_limits) return Errno::inval;
  Process& target = *TRY(process_or_self(args.i32(0)));
  TRY(may_limit(target));
  abi::ResourceLimit old = target.limits[args.u32(1)];
  if (args.user(2))
    TRY(change_limit(target, args.u32(1), TRY(get_user<abi::ResourceLimit>(args.user(2)))));
  if (args.user(3)) TRY(put_user(args.user(3), old));
  return 0;
}

Result<std::int64_t> sys_getrlimit(const Args& args) {
  if (args.u32(0) >= abi::resource_limits) return Errno::inval;
  TRY(put_user(args.user(1), current_process().limits[args.u32(0)]));
  return 0;
}

Result<std::int64_t> sys_setrlimit(const Args& args) {
  if (args.u32(0) >= abi::resource_limits) return Errno::inval;
  auto wanted = TRY(get_user<abi::ResourceLimit>(args.user(1)));
  TRY(change_limit(current_process(), args.u32(0), wanted));
  return 0;
}

Result<std::int64_t> sys_getrusage(const Args& args) {
  enum { usage_self = 0, usage_children = -1, usage_thread = 1 };
  int who = args.i32(0);
  Process& self = current_process();
  abi::ResourceUsage usage{};
  if (who == usage_self)
    usage = resource_usage(self.cpu_shares(), self.peak_memory());
  else if (who == usage_thread)
    usage = resource_usage(scheduler.cpu_shares(current_thread()), self.peak_memory());
  else if (who == usage_children)
    usage = resource_usage(self.cpu_of_children, self.peak_of_children);
  else
    return Errno::inval;
  TRY(put_user(args.user(1), usage));
  return 0;
}

}  // namespace guest
