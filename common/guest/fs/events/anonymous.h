// Files without a name whose only use is to wait for something: eventfd, timerfd, signalfd, pidfd
// and epoll have these in common.
#pragma once

#include "guest/abi/file_flags.h"
#include "guest/heap/make.h"
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

/// A T, open for reading and writing, behind an inode of its own.
template <class T, class... A>
Result<Ref<File>> make_anonymous(const char* name, std::uint32_t flags, A&&... arguments) {
  return Ref<File>(TRY(make_ref<T>(TRY(make_anonymous_inode(name)), flags | abi::o_rdwr,
                                   std::forward<A>(arguments)...)));
}

}  // namespace guest
