// The launcher's own knowledge of a machine's host processes. The machine names them by pid, in a
// table that whoever has broken into the window may write: a pid counts only if it is found to be a
// child of the launcher and a guest-machine process, and it is held by a pidfd from then on. Nobody
// else is ever sent a signal. Used by MachineProcesses (members.cpp).
#pragma once

#include <sys/types.h>

#include <optional>
#include <vector>

#include "monitor/machine/accounting.h"

namespace extended {

class Children {
 public:
  Children() = default;
  ~Children();
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  /// The launcher made it itself.
  void add(pid_t pid);
  /// Somebody says that it is one. True: it is, and not reaped yet.
  bool holds(pid_t pid);
  /// Those that nobody names: cloned behind the launcher's back.
  void find_unnamed();
  void signal(pid_t pid, int number) const;
  /// Its end, if it has ended; `wait`: as soon as it has. Not held any more then. A child that
  /// somebody else reaped (a tracer) is let go without an end.
  std::optional<monitor::ProcessEnd> reap(pid_t pid, bool wait);
  /// A copy: reap() changes it.
  [[nodiscard]] std::vector<pid_t> all() const;

 private:
  struct Held {
    pid_t pid;
    int fd;
  };
  [[nodiscard]] std::vector<Held>::const_iterator find(pid_t pid) const;

  std::vector<Held> held_;
};

}  // namespace extended
