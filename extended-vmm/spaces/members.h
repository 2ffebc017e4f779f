// The launcher's view of the host processes that make up a machine: one under spaces=remap, one for
// each guest address space under spaces=pool (pool.cpp makes those, inside the machine).
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include "extended-vmm/resident/image.h"
#include "monitor/accounting.h"

namespace extended {

class MachineProcesses {
 public:
  /// `members` is the machine's own table, in the window; `first` the process the launcher made.
  MachineProcesses(const Members& members, pid_t first) : members_(members), first_(first) {}
  ~MachineProcesses() { end(); }
  MachineProcesses(const MachineProcesses&) = delete;
  MachineProcesses& operator=(const MachineProcesses&) = delete;

  /// The one that runs guest code, or did a moment ago: whom to send a tick.
  [[nodiscard]] pid_t running() const;
  /// Has one died on its own? None but the first ever ends by itself, and that one last.
  [[nodiscard]] bool lost_one() const;
  /// Kills and reaps all that are left. The first one's wait status; `cost` is the sum.
  int end();
  /// Somebody else has reaped the first one.
  void reaped_first(const rusage& usage);
  [[nodiscard]] const monitor::ProcessCost& cost() const { return cost_; }

 private:
  int reap(pid_t pid);
  void end_others();

  const Members& members_;
  pid_t first_;  // -1: reaped
  std::uint32_t reaped_others_ = 0;
  monitor::ProcessCost cost_;
};

}  // namespace extended
