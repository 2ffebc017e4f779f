// Killing, reaping and replacing a machine's processes: see members.h. The other half of a rescue
// is take_dead_ones_place (pool.cpp).
#include "extended-vmm/spaces/members.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace extended {
namespace {

/// The table is the machine's, which may be broken.
std::uint32_t running_of(const Members& members) {
  return std::min(members.running.load(), most_members - 1);
}

/// Whoever waits for its turn looks at it.
void wake(Member& member) {
  syscall(SYS_futex, &member.turn, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

}  // namespace

MachineProcesses::MachineProcesses(Members& members, pid_t first) : members_(members) {
  members_.table[0].pid = first;
}

pid_t MachineProcesses::running() const {
  return members_.table[running_of(members_)].pid;
}

/// True: it is gone now. Without WNOHANG it is killed.
bool MachineProcesses::reap(Member& member, int options) {
  const pid_t pid = member.pid;  // read once: it may move
  if (pid <= 0) return false;
  if ((options & WNOHANG) == 0) kill(pid, SIGKILL);
  int status = 0;
  rusage usage{};
  pid_t reaped;
  do {
    reaped = wait4(pid, &status, options | __WALL, &usage);
  } while (reaped < 0 && errno == EINTR);
  if (reaped != pid) return false;
  cost_ += monitor::cost_of(usage);
  if (&member == &members_.table[running_of(members_)]) status_ = status;
  member.pid = pid_gone;
  std::uint32_t called = turn_rescue;  // in vain
  member.turn.compare_exchange_strong(called, turn_wait);
  return true;
}

/// One of them is about to take another's place: its pid moves within the table.
bool MachineProcesses::rescue_is_under_way() const {
  return std::any_of(std::begin(members_.table), std::end(members_.table),
                     [](const Member& member) { return member.turn == turn_rescue; });
}

/// False: nobody is there.
bool MachineProcesses::call_rescuer() {
  for (Member& member : members_.table) {
    std::uint32_t parked = turn_wait;
    if (member.pid <= 0 || !member.turn.compare_exchange_strong(parked, turn_rescue)) continue;
    wake(member);
    return true;
  }
  return false;
}

Care MachineProcesses::look_after(bool in_kernel) {
  constexpr int most_looks = 50;
  for (Member& member : members_.table) reap(member, WNOHANG);
  if (rescue_is_under_way()) return Care::goes_on;
  Member& at_turn = members_.table[running_of(members_)];
  if (at_turn.turn == turn_wait) {
    // A hand-over is going on, unless the one that was at it is the dead one.
    if (looks_left_ == 0) looks_left_ = most_looks;
    return --looks_left_ == 0 ? Care::ended : Care::look_again;
  }
  looks_left_ = 0;
  if (at_turn.pid != pid_gone) {
    wake(at_turn);  // in place of one that died before it could
    return Care::goes_on;
  }
  // What died at work in the kernel leaves nobody knows what behind.
  if (at_turn.turn == turn_at_work && in_kernel) return Care::ended;
  return call_rescuer() ? Care::goes_on : Care::ended;
}

// The table changes while they live: a process writes its child's pid before it dies (a clone is
// not interrupted halfway), so that a child that was missed is found once its parent is gone.
int MachineProcesses::end() {
  bool again = true;
  while (again) {
    again = rescue_is_under_way();
    for (Member& member : members_.table) again |= reap(member, 0);
  }
  return status_;
}

void MachineProcesses::reaped_first(const rusage& usage) {
  members_.table[0].pid = pid_gone;
  cost_ += monitor::cost_of(usage);
}

}  // namespace extended
