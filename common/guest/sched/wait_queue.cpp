// See wait_queue.h. notify() is called by whoever has changed something: other threads' system
// calls, interrupts, timers; wait() by the task that sleeps.
#include "guest/sched/wait_queue.h"

#include "guest/sched/scheduler.h"

namespace guest {

// Listeners come and go meanwhile. So two that want nothing stand among them: `here`, behind the
// one that is told, and `end`, before those who come later.
void WaitQueue::notify(Events happened) {
  if (listeners_.empty()) return;
  Listener here(nullptr, nullptr, 0), end(nullptr, nullptr, 0);
  listeners_.push_back(end);
  for (Listener* at = listeners_.front(); at != &end;) {
    if (!(at->wanted & happened)) {
      at = Listeners::next(*at);
      continue;
    }
    Listeners::insert_behind(*at, here);
    at->hear(*at, happened);
    at = Listeners::next(here);
    remove(here);
  }
  remove(end);
}

Result<> WaitQueue::wait(Events wanted, std::uint64_t deadline_ns, Task::Interrupt interrupt) {
  Listener& listener = scheduler.current().listener;
  listener.wanted = wanted;
  add(listener);
  auto slept = scheduler.block(deadline_ns, interrupt);
  remove(listener);
  return slept;
}

}  // namespace guest
