// Files without a name whose only use is to wait for something: eventfd, timerfd, signalfd, pidfd
// and epoll have these in common.
#pragma once

#include "guest/sched/wait_queue.h"
#include "guest/vfs/inode.h"

namespace guest {

/// `name`: as /proc shows it, "[eventfd]".
Result<Ref<Inode>> make_anonymous_inode(const char* name);

class AnonymousFile : public File {
 public:
  using File::File;
  [[nodiscard]] bool seekable() const override { return false; }
  WaitQueue* events() override { return &events_; }

 protected:
  [[nodiscard]] bool nonblocking() const;
  /// Until poll_state() has some of `bits`. EAGAIN: O_NONBLOCK.
  Result<> wait_for(Events bits);

  WaitQueue events_;
};

}  // namespace guest
