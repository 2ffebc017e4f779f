// poll_files: see the header. The caller's thread listens to all files at once; being woken is only
// a hint to look again.
#include "guest/vfs/poll.h"

#include "guest/abi/file_flags.h"
#include "guest/sched/scheduler.h"
#include "guest/sched/wait_queue.h"

namespace guest {
namespace {

std::size_t look(Vec<PollItem>& items) {
  std::size_t ready = 0;
  for (PollItem& item : items) {
    item.ready = item.file->poll_state() & (item.wanted | abi::poll_err | abi::poll_hup);
    if (item.ready) ++ready;
  }
  return ready;
}

/// This thread as a listener to all the files; it leaves them when it goes.
class Listening {
 public:
  ~Listening() {
    for (Listener& listener : listeners_) WaitQueue::remove(listener);
  }
  Result<> begin(Vec<PollItem>& items) {
    TRY(listeners_.reserve(items.size()));  // linked nodes must not move
    for (PollItem& item : items) {
      WaitQueue* events = item.file->events();
      if (!events) continue;
      const Events wanted = item.wanted | abi::poll_err | abi::poll_hup;
      TRY(listeners_.push(scheduler.current().waker(wanted)));
      events->add(listeners_.back());
    }
    return {};
  }

 private:
  Vec<Listener> listeners_{HeapKind::file};
};

}  // namespace

Result<std::size_t> poll_files(Vec<PollItem>& items, std::uint64_t deadline_ns) {
  for (bool time_is_up = false;;) {
    std::size_t ready = look(items);
    if (ready || time_is_up) return ready;
    Listening listening;
    if (deadline_ns != no_time) TRY(listening.begin(items));
    auto slept = scheduler.block(deadline_ns);
    time_is_up = slept.error() == Errno::timedout;
    if (!slept.ok() && !time_is_up) return Errno::restart_unless_handled;
  }
}

}  // namespace guest
