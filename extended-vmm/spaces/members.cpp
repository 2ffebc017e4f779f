// Killing and reaping a machine's processes: see members.h.
#include "extended-vmm/spaces/members.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>

namespace extended {

pid_t MachineProcesses::running() const {
  const std::uint32_t index = std::min(members_.running, most_members - 1);
  return index == 0 ? first_ : members_.table[index].pid;
}

bool MachineProcesses::lost_one() const {
  for (std::uint32_t i = 1; i < most_members && members_.table[i].pid != 0; ++i) {
    siginfo_t info{};
    const auto pid = static_cast<id_t>(members_.table[i].pid);
    if (waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 && info.si_pid != 0)
      return true;
  }
  return false;
}

int MachineProcesses::reap(pid_t pid) {
  kill(pid, SIGKILL);
  int status = 0;
  rusage usage{};
  while (wait4(pid, &status, __WALL, &usage) < 0) {
    if (errno != EINTR) return status;
  }
  cost_ += monitor::cost_of(usage);
  return status;
}

int MachineProcesses::end() {
  int status = 0;
  if (first_ > 0) status = reap(first_);
  first_ = -1;
  end_others();
  return status;
}

void MachineProcesses::reaped_first(const rusage& usage) {
  first_ = -1;
  cost_ += monitor::cost_of(usage);
}

// The table grows while they live: a process writes its child's pid before it dies (a clone is not
// interrupted halfway), and a child that was missed is found after its parent.
void MachineProcesses::end_others() {
  for (; reaped_others_ + 1 < most_members; ++reaped_others_) {
    const pid_t pid = members_.table[reaped_others_ + 1].pid;
    if (pid == 0) break;
    reap(pid);
  }
}

}  // namespace extended
