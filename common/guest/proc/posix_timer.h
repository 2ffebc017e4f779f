// PosixTimer: one timer of timer_create. A process has some; they go at execve and at its end, and
// a fork does not have them. The calls are in syscall/posix_timer_calls.cpp.
#pragma once

#include <cstdint>

#include "guest/abi/structs.h"
#include "guest/base/list.h"
#include "guest/base/ref.h"
#include "guest/base/result.h"
#include "guest/heap/heap.h"
#include "guest/proc/timer_clock.h"

namespace guest {

class Process;

struct PosixTimer : Allocated<HeapKind::file> {
  PosixTimer(Process& process, int id);
  ~PosixTimer();

  ListNode node;
  Process& process;
  const int id;
  // The clock it counts on; of CPU time, whose that is, kept in case that is another process.
  TimerClock clock;
  Ref<Process> counted;
  bool gone = false;       // the thread whose time it is has ended
  bool real_time = false;  // CLOCK_REALTIME, not CLOCK_MONOTONIC
  int signal = 0;          // 0: none is sent
  int thread = 0;          // who gets it; 0: whichever thread of the process
  std::uint64_t value = 0;
  Timer timer;
  std::uint64_t interval_ns = 0;
  int overruns = 0;       // expiries that found the signal still pending
  int overruns_told = 0;  // with the last one that was delivered

  /// Neither the process nor the thread whose time it counts is there any more.
  [[nodiscard]] bool is_of_nobody() const;
  void expired();

  /// In the whole guest: each may be due at each tick, and must not take all of the time.
  static constexpr std::uint32_t most = 8192;
  static std::uint32_t count;
};

/// EAGAIN: it has as many as its RLIMIT_SIGPENDING says, or there are too many of all processes.
Result<PosixTimer*> create_posix_timer(Process& process);
/// EINVAL.
Result<PosixTimer*> find_posix_timer(Process& process, int id);
void delete_posix_timers(Process& process);
/// A signal that a timer sent is being delivered: now it is known how many expiries it stands for.
void settle_timer_signal(Process& process, abi::SigInfo& info);

}  // namespace guest
