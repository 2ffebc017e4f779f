// See clocks.h. A negative clockid is made of a pid or tid and of which of three clocks is meant:
// bits 3 and up are the number's complement, bit 2 says that it is a thread's.
#include "guest/syscall/clocks.h"

#include "guest/base/clock.h"

namespace guest {

namespace {

/// The three low bits of a clockid made of a number: which clock, and whether a thread's.
enum CpuClockBits : unsigned { which_user = 1, which_precise = 2, which_bits = 3, of_thread = 4 };
/// In place of all three: the clock of a device, by its descriptor. There is none.
constexpr unsigned of_descriptor = 3, low_bits = 7;

constexpr std::uint64_t tick_ns = 10'000'000;  // of the clocks that Linux reads at each tick

struct CpuClockName {
  int number;  // 0: one's own
  unsigned bits;
};
CpuClockName name_of(int clock) {
  if (clock == clock_process_cpu) return {0, which_precise};
  if (clock == clock_thread_cpu) return {0, which_precise | of_thread};
  return {~(clock >> 3), static_cast<unsigned>(clock) & low_bits};
}

bool is_device(int clock) {
  return clock < 0 && (static_cast<unsigned>(clock) & low_bits) == of_descriptor;
}

/// Of one's own process. EINVAL.
Result<Thread*> find_own_thread(int tid) {
  Thread* thread = tid ? processes.find_thread(tid) : &current_thread();
  if (!thread || &thread->process != &current_process()) return Errno::inval;
  return thread;
}

Result<Process*> find_process(int pid, bool to_read) {
  if (pid == 0 || (to_read && pid == current_thread().tid)) return &current_process();
  Process* process = processes.find(pid);
  if (!process || process->pid != pid) return Errno::inval;
  return process;
}

}  // namespace

Result<> check_use(int clock, ClockUse use) {
  if (is_device(clock)) return Errno::notsup;
  if (is_of_cpu_time(clock))
    return clock == clock_thread_cpu && use == ClockUse::sleep ? Result<>(Errno::notsup)
                                                               : Result<>();
  switch (clock) {
    case clock_realtime:
    case clock_monotonic:
    case clock_boottime:
    case clock_tai:
      return {};
    case clock_monotonic_raw:
    case clock_realtime_coarse:
    case clock_monotonic_coarse:
    case clock_realtime_alarm:
    case clock_boottime_alarm:
      return Errno::notsup;
    default:
      return Errno::inval;
  }
}

Result<CpuClock> find_cpu_clock(int clock, bool to_read) {
  const auto [number, bits] = name_of(clock);
  if ((bits & which_bits) == which_bits) return Errno::inval;
  const bool user_mode_only = (bits & which_bits) == which_user;
  if (bits & of_thread) {
    Thread& thread = *TRY(find_own_thread(number));
    if (thread.ended && !to_read) return Errno::inval;
    return CpuClock{TimerClock(thread, user_mode_only), Ref<Process>(&thread.process)};
  }
  Process& process = *TRY(find_process(number, to_read));
  return CpuClock{TimerClock(process, user_mode_only), Ref<Process>(&process)};
}

Result<std::uint64_t> read_clock(int clock) {
  switch (clock) {
    case clock_realtime:
    case clock_realtime_coarse:
    case clock_tai:
      return realtime_ns();
    case clock_monotonic:
    case clock_monotonic_raw:
    case clock_monotonic_coarse:
    case clock_boottime:
      return monotonic_ns();
    default:
      if (!is_of_cpu_time(clock)) return Errno::inval;
      return TRY(find_cpu_clock(clock, true)).clock.now();
  }
}

Result<std::uint64_t> resolution_of(int clock) {
  if (clock == clock_realtime_coarse || clock == clock_monotonic_coarse) return tick_ns;
  if (!is_of_cpu_time(clock)) {
    TRY(read_clock(clock));
    return std::uint64_t{1};
  }
  TRY(find_cpu_clock(clock, false));
  return (name_of(clock).bits & which_bits) == which_precise ? std::uint64_t{1} : tick_ns;
}

}  // namespace guest
