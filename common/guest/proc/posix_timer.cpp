// See posix_timer.h. Expiries come from the scheduler's timer list.
#include "guest/proc/posix_timer.h"

#include <algorithm>
#include <climits>
#include <new>

#include "guest/base/clock.h"
#include "guest/proc/process.h"

namespace guest {

namespace {

void timer_expired(Timer& timer) {
  static_cast<PosixTimer*>(timer.owner)->expired();
}

}  // namespace

std::uint32_t PosixTimer::count;

PosixTimer::PosixTimer(Process& process, int id)
    : process(process), id(id), timer(timer_expired, this) {
  process.posix_timers.push_back(*this);
  ++count;
}

PosixTimer::~PosixTimer() {
  clock.cancel(timer);
  node.unlink();
  --count;
}

bool PosixTimer::is_of_nobody() const {
  return gone || (counted && !counted->table_node.linked());
}

void PosixTimer::expired() {
  std::uint64_t missed = 0;  // beside this one
  if (interval_ns) {
    const auto next = next_expiry(timer.deadline, interval_ns, clock.now());
    missed = next.missed;
    clock.set(timer, next.deadline);
  }
  if (signal == 0) return;
  Thread* taker = thread ? processes.find_thread(thread) : nullptr;
  if (thread && (!taker || &taker->process != &process || taker->ended)) return;
  const bool waits = (taker ? taker->pending : process.pending).holds_timer(id);
  if (waits) missed += static_cast<std::uint64_t>(overruns) + 1;
  overruns = static_cast<int>(std::min<std::uint64_t>(missed, INT_MAX));
  if (waits) return;
  abi::SigInfo info{};
  info.number = signal;
  info.code = abi::si_timer;
  info.timer.id = id;
  info.timer.value = value;
  (void)(taker ? send_signal(*taker, info, true) : send_signal(process, info, true));
}

Result<PosixTimer*> create_posix_timer(Process& process) {
  std::uint64_t count = 0;
  int last = -1;
  for (PosixTimer& timer : process.posix_timers) {
    ++count;
    last = timer.id;
  }
  if (count >= process.limits[abi::limit_sigpending].current || last == INT_MAX ||
      PosixTimer::count >= PosixTimer::most)
    return Errno::again;
  auto* timer = new (std::nothrow) PosixTimer(process, last + 1);
  if (!timer) return Errno::again;
  return timer;
}

Result<PosixTimer*> find_posix_timer(Process& process, int id) {
  for (PosixTimer& timer : process.posix_timers)
    if (timer.id == id) return &timer;
  return Errno::inval;
}

void settle_timer_signal(Process& process, abi::SigInfo& info) {
  auto timer = find_posix_timer(process, info.timer.id);
  if (!timer.ok()) return;
  info.timer.overruns = timer.value()->overruns_told = timer.value()->overruns;
}

void delete_posix_timers(Process& process) {
  while (PosixTimer* timer = process.posix_timers.front()) delete timer;
}

}  // namespace guest
