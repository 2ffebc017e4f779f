// Layouts of the guest's system-call ABI (Linux, x86-64) that processes, signals and time need.
// What crosses the boundary to a guest program is laid down here and nowhere else; another ABI
// (i386, DESIGN section 7) would bring its own page like this one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace guest::abi {

struct Timespec {
  std::int64_t seconds, nanoseconds;
};
struct Timeval {
  std::int64_t seconds, microseconds;
};
struct IntervalTimer {
  Timeval interval, value;
};
struct TimerSetting {  // struct itimerspec
  Timespec interval, value;
};
struct SignalEvent {  // struct sigevent
  std::uint64_t value;
  std::int32_t signal, notify, thread;
  std::uint32_t padding[11];
};
enum SignalNotify : std::int32_t { notify_signal = 0, notify_none = 1, notify_thread_id = 4 };
struct Times {  // struct tms
  std::int64_t user, system, children_user, children_system;
};

// -- Signals.
struct SignalAction {
  std::uint64_t handler, flags, restorer, mask;
};
inline constexpr std::uint64_t handler_default = 0, handler_ignore = 1;
enum SignalActionFlags : std::uint64_t {
  sa_nocldstop = 1,
  sa_nocldwait = 2,
  sa_siginfo = 4,
  sa_restorer = 0x0400'0000,
  sa_onstack = 0x0800'0000,
  sa_restart = 0x1000'0000,
  sa_nodefer = 0x4000'0000,
  sa_resethand = 0x8000'0000,
};

struct SignalStack {
  std::uint64_t base;
  std::int32_t flags;
  std::uint32_t padding;
  std::uint64_t bytes;
};
enum SignalStackFlags : std::int32_t { ss_onstack = 1, ss_disable = 2 };
inline constexpr std::int32_t ss_autodisarm = static_cast<std::int32_t>(0x8000'0000);
inline constexpr std::uint64_t minimum_signal_stack = 2048;

/// siginfo_t: 128 bytes; the union's members that we fill. Each is as long as the union, so that
/// all of it is zero in a new one.
struct SigInfo {
  std::int32_t number, error, code, padding;
  union {
    struct {
      std::int32_t pid;
      std::uint32_t uid;
      std::uint64_t value, rest[12];
    } sender;  // kill, tgkill, sigqueue
    struct {
      std::int32_t id, overruns;
      std::uint64_t value, rest[12];
    } timer;  // of timer_create
    struct {
      std::int32_t pid;
      std::uint32_t uid;
      std::int32_t status, padding;
      std::int64_t user_time, system_time;
      std::uint64_t rest[10];
    } child;  // SIGCHLD
    struct {
      std::uint64_t address, rest[13];
    } fault;  // SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP
    std::uint64_t words[14];
  };
};
enum SigInfoCode : std::int32_t {
  si_user = 0,
  si_kernel = 0x80,
  si_queue = -1,
  si_timer = -2,
  si_tkill = -6,
  ill_illegal_operand = 2,
  fpe_integer_divide = 1,
  fpe_float_divide = 3,
  fpe_float_overflow = 4,
  fpe_float_underflow = 5,
  fpe_float_inexact = 6,
  fpe_float_invalid = 7,
  segv_not_mapped = 1,
  segv_access = 2,
  bus_alignment = 1,
  bus_address = 2,
  trap_breakpoint = 1,
  trap_trace = 2,
  child_exited = 1,
  child_killed = 2,
  child_dumped = 3,
  child_stopped = 5,
  child_continued = 6,
};

// -- Processes.
struct ResourceUsage {
  Timeval user, system;
  std::int64_t max_rss_kib, unused1[3], minor_faults, major_faults, unused2[8];
};
struct ResourceLimit {
  std::uint64_t current, maximum;
};
inline constexpr std::uint32_t resource_limits = 16;
inline constexpr std::uint64_t unlimited = ~0ul;
enum Resource : std::uint32_t {
  limit_cpu = 0,
  limit_fsize = 1,
  limit_data = 2,
  limit_stack = 3,
  limit_core = 4,
  limit_nproc = 6,
  limit_nofile = 7,
  limit_as = 9,
  limit_sigpending = 11,
};

struct SystemName {
  char system[65], node[65], release[65], version[65], machine[65], domain[65];
};
struct SystemInfo {
  std::int64_t uptime_seconds;
  std::uint64_t loads[3], total_ram, free_ram, shared_ram, buffer_ram, total_swap, free_swap;
  std::uint16_t processes, padding1;
  std::uint32_t padding2;
  std::uint64_t total_high, free_high;
  std::uint32_t unit_bytes, padding3;
};
struct CloneArguments {  // clone3
  std::uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

static_assert(sizeof(SignalAction) == 32 && sizeof(SignalStack) == 24);
static_assert(sizeof(SigInfo) == 128 && offsetof(SigInfo, sender) == 16);
static_assert(offsetof(SigInfo, child.user_time) == 32);
static_assert(sizeof(ResourceUsage) == 144 && sizeof(SystemName) == 390);
static_assert(sizeof(SystemInfo) == 112 && offsetof(SystemInfo, processes) == 80);
static_assert(sizeof(CloneArguments) == 64 && sizeof(IntervalTimer) == 32 && sizeof(Times) == 32);
static_assert(sizeof(TimerSetting) == 32 && sizeof(SignalEvent) == 64);

}  // namespace guest::abi
