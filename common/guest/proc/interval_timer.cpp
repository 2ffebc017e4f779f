// See interval_timer.h. Expiries come from the list of its clock.
#include "guest/proc/interval_timer.h"

#include "guest/proc/process.h"

namespace guest {

IntervalTimer::IntervalTimer(Process& process, int signal, TimerClock clock)
    : process_(process),
      signal_(signal),
      clock_(clock),
      timer_([](Timer& timer) { static_cast<IntervalTimer*>(timer.owner)->ring(); }, this) {}

void IntervalTimer::start(std::uint64_t value_ns, std::uint64_t interval_ns) {
  interval_ns_ = interval_ns;
  clock_.set(timer_, clock_.now() + value_ns);
}

void IntervalTimer::stop() {
  interval_ns_ = 0;
  clock_.cancel(timer_);
}

void IntervalTimer::ring() {
  send_signal(process_, signal_);
  if (!interval_ns_) return;
  clock_.set(timer_, next_expiry(timer_.deadline, interval_ns_, clock_.now()).deadline);
}

}  // namespace guest
