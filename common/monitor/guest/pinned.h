// One host CPU for everything of a guest. The three runners hold one of these while they run, and
// the processes that they make inherit it.
#pragma once

#include <sched.h>

namespace monitor {

/// Runs this thread on one CPU as long as it lives.
class Pinned {
 public:
  /// `cpu` as in MachineConfig: -1 means the last one that this thread may use.
  explicit Pinned(int cpu);
  ~Pinned();
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;

  /// Where it ran before.
  [[nodiscard]] const cpu_set_t& before() const { return before_; }

 private:
  cpu_set_t before_{};
};

}  // namespace monitor
