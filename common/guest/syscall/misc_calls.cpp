// System calls about the machine and a process's small settings: names, limits, scheduling,
// thread-local storage, futexes.
#include <string_view>

#include "guest/abi/structs.h"
#include "guest/drivers/clock.h"
#include "guest/mm/address_space.h"
#include "guest/mm/frames.h"
#include "guest/mm/user.h"
#include "guest/proc/futex.h"
#include "guest/proc/process.h"
#include "guest/proc/system_name.h"
#include "guest/syscall/handlers.h"
#include "guest/syscall/time_values.h"
#include "guest/vfs/file_table.h"

namespace guest {

namespace {

constexpr int priority_of_process = 0;

Result<> change_limit(Process& process, std::uint32_t resource, const abi::ResourceLimit& wanted) {
  if (wanted.current > wanted.maximum) return Errno::inval;
  if (resource == abi::limit_nofile) {
    if (wanted.maximum > FileTable::limit) return Errno::perm;
    if (process.files) process.files->open_limit = static_cast<int>(wanted.current);
  }
  process.limits[resource] = wanted;
  return {};
}

template <std::size_t N>
void set_text(char (&field)[N], const char* text) {
  for (std::size_t i = 0; i + 1 < N && *text != '\0'; ++i) field[i] = *text++;
}

/// When a futex call with this timeout gives up: relative for FUTEX_WAIT, else absolute.
Result<std::uint64_t> futex_deadline(UserAddress timeout, bool relative, bool realtime) {
  if (!timeout) return std::uint64_t{0};
  std::uint64_t ns = TRY(to_ns(TRY(get_user<abi::Timespec>(timeout))));
  if (relative) return monotonic_ns() + ns;
  if (!realtime) return ns ? ns : 1;
  std::uint64_t now = realtime_ns();
  return monotonic_ns() + (ns > now ? ns - now : 0);
}

}  // namespace

Result<std::int64_t> sys_uname(const Args& args) {
  abi::SystemName name{};
  set_text(name.system, system_type);
  set_text(name.node, system_node);
  set_text(name.release, system_release);
  set_text(name.version, system_version);
  set_text(name.machine, "x86_64");
  set_text(name.domain, "(none)");
  TRY(put_user(args.user(0), name));
  return 0;
}

Result<std::int64_t> sys_sysinfo(const Args& args) {
  abi::SystemInfo info{};
  info.uptime_seconds = static_cast<std::int64_t>(monotonic_ns() / ns_per_second);
  info.total_ram = frames_total();
  info.free_ram = frames_free();
  info.unit_bytes = vmi::page_size;
  info.processes = static_cast<std::uint16_t>(processes.count());
  TRY(put_user(args.user(0), info));
  return 0;
}

Result<std::int64_t> sys_prlimit64(const Args& args) {
  if (args.u32(1) >= abi::resource_limits) return Errno::inval;
  Process& target = *TRY(process_or_self(args.i32(0)));
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
  abi::ResourceUsage usage{};
  if (who == usage_self || who == usage_thread) {
    usage.user = to_timeval(ticks_to_ns(scheduler.cpu_ticks(current_thread())));
    usage.max_rss_kib = static_cast<std::int64_t>(current_process().space->extents().total_pages() *
                                                  (vmi::page_size / 1024));
  } else if (who == usage_children) {
    usage.user = to_timeval(ticks_to_ns(current_process().cpu.children));
  } else {
    return Errno::inval;
  }
  TRY(put_user(args.user(1), usage));
  return 0;
}

Result<std::int64_t> sys_sched_yield(const Args&) {
  scheduler.yield();
  return 0;
}

// One CPU, number 0.
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

Result<std::int64_t> sys_personality(const Args& args) {
  constexpr std::uint32_t ask = 0xffff'ffff, per_linux = 0;
  if (args.u32(0) != ask && args.u32(0) != per_linux) return Errno::inval;
  return 0;
}

Result<std::int64_t> sys_prctl(const Args& args) {
  enum { set_death_signal = 1, get_death_signal = 2 };
  enum { get_dumpable = 3, set_dumpable = 4, set_name = 15, get_name = 16 };
  enum { set_no_new_privs = 38, get_no_new_privs = 39 };
  Thread& self = current_thread();
  switch (args.i32(0)) {
    case set_death_signal:
      if (args.u64(1) > sig_last) return Errno::inval;
      self.process.death_signal = args.i32(1);
      return 0;
    case get_death_signal:
      TRY(put_user(args.user(1), self.process.death_signal));
      return 0;
    case get_dumpable:
      return 1;
    case set_dumpable:
    case set_no_new_privs:  // nothing gives privileges here
      return 0;
    case get_no_new_privs:
      return 1;
    case set_name: {
      // Cut to fit, and a name may end right before an unmapped page: byte by byte.
      std::size_t i = 0;
      for (char c = 1; c && i < sizeof self.name - 1; ++i)
        self.name[i] = c = TRY(get_user<char>(args.user(1) + i));
      self.name[i] = '\0';
      return 0;
    }
    case get_name:
      TRY(copy_to_user(args.user(1), self.name, sizeof self.name));
      return 0;
    default:
      return Errno::inval;
  }
}

Result<std::int64_t> sys_arch_prctl(const Args& args) {
  enum { set_gs = 0x1001, set_fs = 0x1002, get_fs = 0x1003, get_gs = 0x1004 };
  vmi::TrapFrame& frame = *current_thread().frame;
  int code = args.i32(0);
  if (code == get_fs || code == get_gs) {
    TRY(put_user(args.user(1), code == get_fs ? frame.fs_base : frame.gs_base));
    return 0;
  }
  if (code != set_fs && code != set_gs) return Errno::inval;
  // The monitor loads it into a register that refuses non-canonical addresses.
  if (args.u64(1) >= vmi::user_end) return Errno::perm;
  (code == set_fs ? frame.fs_base : frame.gs_base) = args.u64(1);
  return 0;
}

Result<std::int64_t> sys_set_tid_address(const Args& args) {
  current_thread().clear_child_tid = args.u64(0);
  return current_thread().tid;
}

Result<std::int64_t> sys_set_robust_list(const Args& args) {
  constexpr std::uint64_t head_bytes = 24;
  if (args.u64(1) != head_bytes) return Errno::inval;
  return 0;
}

Result<std::int64_t> sys_rseq(const Args&) {
  return Errno::nosys;
}

Result<std::int64_t> sys_futex(const Args& args) {
  enum { wait = 0, wake = 1, wait_bitset = 9, wake_bitset = 10 };
  constexpr std::uint32_t private_flag = 128, realtime_flag = 256;
  UserAddress address = args.user(0);
  std::uint32_t operation = args.u32(1) & ~(private_flag | realtime_flag);
  bool with_bits = operation == wait_bitset || operation == wake_bitset;
  std::uint32_t bits = with_bits ? args.u32(5) : ~0u;
  if (address.value % sizeof(std::uint32_t) || bits == 0) return Errno::inval;
  if (operation == wait || operation == wait_bitset) {
    auto deadline =
        TRY(futex_deadline(args.user(3), operation == wait, args.u32(1) & realtime_flag));
    TRY(futex_wait(address, args.u32(2), bits, deadline));
    return 0;
  }
  if (operation != wake && operation != wake_bitset) return Errno::nosys;
  if (!vmi::is_user_range(address.value, sizeof(std::uint32_t))) return Errno::fault;
  return futex_wake(*current_process().space, address, args.i32(2), bits);
}

}  // namespace guest
