// What the launcher does while the machine runs: waits for its end, and for the few things that the
// machine's own processes cannot do.
#pragma once

#include <sys/eventfd.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>

#include "extended-vmm/resident/image.h"
#include "extended-vmm/spaces/members.h"
#include "extended-vmm/trap/host_call_sites.h"
#include "monitor/guest/memory.h"
#include "monitor/machine/machine_config.h"

namespace extended {

/// How the launcher is woken: by the resident part to answer questions (trap=direct), and by the
/// thread that carries the guest's sockets to kick the guest.
class WakeEvent {
 public:
  explicit WakeEvent(bool wanted);
  ~WakeEvent() {
    if (fd_ >= 0) close(fd_);
  }
  WakeEvent(const WakeEvent&) = delete;
  WakeEvent& operator=(const WakeEvent&) = delete;

  [[nodiscard]] int fd() const { return fd_; }  // -1: nobody asks
  void answer(ResidentImage& resident) const;
  /// From another thread: an interrupt is pending for a guest that does not sleep.
  void ask_for_kick() const;
  /// True once for each time that was asked, or several.
  bool take_kick() const { return kick_.exchange(false); }

 private:
  int fd_ = -1;
  mutable std::atomic<bool> kick_ = false;
};

/// What the launcher works with while the machine runs.
struct Machine {
  const monitor::MachineConfig& config;
  monitor::GuestMemory& memory;
  ResidentImage& resident;
  MachineProcesses& processes;
  const WakeEvent& wake;
  pid_t first;  // the process that the launcher made
};

/// How the machine ended: the wait status of the process that ran (watched by others: the first
/// one's), and whether its time was up.
struct End {
  int status = 0;
  bool in_time = true;
};

/// Returns when no process of the machine is left. `outcome` gets what the observer saw.
End watch(const Machine& machine, const HostCallSites& sites, monitor::Outcome& outcome);

}  // namespace extended
