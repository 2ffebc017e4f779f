// The launcher's view of the host processes that make up a machine: one under spaces=remap, one for
// each guest address space under spaces=pool (pool.cpp makes those, inside the machine).
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <atomic>

#include "extended-vmm/resident/image.h"
#include "extended-vmm/spaces/children.h"
#include "monitor/machine/accounting.h"

namespace extended {

/// What becomes of the machine when processes of it have died.
enum class Care {
  goes_on,     // nothing that matters is lost, or a parked process has been called to rescue it
  look_again,  // it cannot be told yet, so soon
  ended,
};

class MachineProcesses {
 public:
  /// `members` is the machine's own table, in the window; `first` the process the launcher made.
  MachineProcesses(Members& members, pid_t first);
  ~MachineProcesses() { end(); }
  MachineProcesses(const MachineProcesses&) = delete;
  MachineProcesses& operator=(const MachineProcesses&) = delete;

  /// The one that runs guest code, or did a moment ago. pid_gone: it is dead, or nobody of ours.
  pid_t running();
  void signal_running(int number) { children_.signal(running(), number); }
  /// Reaps the dead and sees to the rest. While the machine lives they were killed by somebody, or
  /// by the host: that is the end of the guest process that ran on it, if one did. `in_kernel` is
  /// the machine's word: what the dead left there counts, so it is read when they are reaped.
  Care look_after(const std::atomic<std::uint32_t>& in_kernel);
  /// Kills and reaps all that are left; `cost` is the sum. The wait status of the one that ran.
  int end();
  /// Somebody else has reaped the first one.
  void reaped_first(const rusage& usage);
  [[nodiscard]] const monitor::ProcessCost& cost() const { return cost_; }

 private:
  void find_new();
  void reap(pid_t pid, bool wait);
  bool rescue_is_under_way();
  bool call_rescuer();

  Members& members_;
  Children children_;
  int status_ = 0;      // of the running one, once it is dead
  int looks_left_ = 0;  // when nobody seems to run
  monitor::ProcessCost cost_;
};

}  // namespace extended
