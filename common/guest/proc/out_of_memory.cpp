// See out_of_memory.h.
#include "guest/proc/out_of_memory.h"

#include "guest/base/clock.h"
#include "guest/base/log.h"
#include "guest/mm/address_space.h"
#include "guest/proc/signal.h"

namespace guest {
namespace {

constexpr int spared = -1000;                       // oom_score_adj: never
constexpr std::uint64_t patience_ns = 100'000'000;  // for a victim to end
constexpr std::int64_t adjustments_of_all_memory = 1000;

std::int64_t total_pages() {
  return static_cast<std::int64_t>(frames_total().number);
}

/// Pages, shifted by what its user thinks of it.
std::int64_t badness(const Process& process) {
  const auto pages = static_cast<std::int64_t>(process.space->extents().total_pages().number);
  return pages + process.oom_score_adj * total_pages() / adjustments_of_all_memory;
}

bool may_be_killed(const Process& process) {
  return process.space && &process != &processes.first() && process.oom_score_adj != spared;
}

bool dying(const Process& process) {
  return process.ending || process.pending.set() & signal_bit(sig_kill);
}

/// nullptr: there is none. Who has been told to die is not told again.
Process* choose() {
  Process* worst = nullptr;
  for (Process& process : processes.all())
    if (may_be_killed(process) && !dying(process) && (!worst || badness(process) > badness(*worst)))
      worst = &process;
  return worst;
}

/// Lets others run until so much is free that the fault may be served, or for a while.
void wait_for_memory() {
  const std::uint64_t end = monotonic_ns() + patience_ns;
  const Frames before = frames_free();
  constexpr std::uint64_t step_ns = 1'000'000;
  while (frames_free() <= before && monotonic_ns() < end)
    if (scheduler.block(monotonic_ns() + step_ns, Task::Interrupt::by_kill).error() ==
        Errno::restart)
      return;  // it is us who must end
}

}  // namespace

void kill_for_memory() {
  Process* victim = choose();
  // The last one left: it must go, whatever it is.
  if (!victim) victim = &current_process();
  log("typetwo guest: out of memory: killed process %d (%s), %lu KiB resident\n", victim->pid,
      victim->leader->name, bytes_of(victim->space->extents().total_pages()).number / 1024);
  const auto kill = signal_from_kernel(sig_kill);
  if (victim == &current_process()) return force_signal(kill);
  (void)send_signal(*victim, kill);
  wait_for_memory();
}

std::uint64_t oom_score(const Process& process) {
  if (!may_be_killed(process)) return 0;
  // As Linux tells it: a thousandth of memory is a point, moved by 1000, and two thirds of that.
  const std::int64_t points =
      (badness(process) * adjustments_of_all_memory / total_pages() + 1000) * 2 / 3;
  return points > 0 ? static_cast<std::uint64_t>(points) : 0;
}

}  // namespace guest
