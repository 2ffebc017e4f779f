// poll_files: see the header. The caller's thread stands on the queues of all files at once; each
// wake-up is only a hint to look again.
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

/// This thread's places on the files' queues; it leaves them all when it goes.
class Places {
 public:
  ~Places() {
    for (Waiter& waiter : waiters_) waiter.node.unlink();
  }
  Result<> take(Vec<PollItem>& items) {
    TRY(waiters_.reserve(items.size()));  // linked nodes must not move
    for (PollItem& item : items) {
      WaitQueue* queue = item.file->poll_queue();
      if (!queue) continue;
      TRY(waiters_.push(Waiter{{}, &scheduler.current()}));
      queue->waiters.push_back(waiters_.back());
    }
    return {};
  }

 private:
  Vec<Waiter> waiters_;
};

}  // namespace

Result<std::size_t> poll_files(Vec<PollItem>& items, std::uint64_t deadline_ns) {
  for (bool time_is_up = false;;) {
    std::size_t ready = look(items);
    if (ready || time_is_up) return ready;
    Places places;
    if (deadline_ns != no_time) TRY(places.take(items));
    auto waited = wait_enqueued(deadline_ns);
    time_is_up = waited.error() == Errno::timedout;
    if (!waited.ok() && !time_is_up) return Errno::restart_unless_handled;
  }
}

}  // namespace guest
