// Killing, reaping and replacing a machine's processes: see members.h. The other half of a rescue
// is take_dead_ones_place (pool.cpp).
#include "extended-vmm/spaces/members.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

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
  children_.add(first);
  members_.table[0].pid = first;
}

pid_t MachineProcesses::running() {
  const pid_t pid = members_.table[running_of(members_)].pid;
  return children_.holds(pid) ? pid : pid_gone;
}

void MachineProcesses::find_new() {
  for (const Member& member : members_.table) children_.holds(member.pid);
}

/// If it has ended, or once it has. It may be moving within the table, and be there twice.
void MachineProcesses::reap(pid_t pid, bool wait) {
  const auto end = children_.reap(pid, wait);
  if (!end) return;
  cost_ += monitor::cost_of(end->usage);
  if (members_.table[running_of(members_)].pid == pid) status_ = end->status;
  for (Member& member : members_.table) {
    std::int32_t its = pid;
    if (!member.pid.compare_exchange_strong(its, pid_gone)) continue;
    std::uint32_t called = turn_rescue;  // in vain
    member.turn.compare_exchange_strong(called, turn_wait);
  }
}

/// One of them is about to take another's place: its pid moves within the table.
bool MachineProcesses::rescue_is_under_way() {
  return std::any_of(std::begin(members_.table), std::end(members_.table),
                     [&](const Member& member) {
                       return member.turn == turn_rescue && children_.holds(member.pid);
                     });
}

/// False: nobody is there.
bool MachineProcesses::call_rescuer() {
  for (Member& member : members_.table) {
    std::uint32_t parked = turn_wait;
    if (!children_.holds(member.pid) || !member.turn.compare_exchange_strong(parked, turn_rescue))
      continue;
    wake(member);
    return true;
  }
  return false;
}

Care MachineProcesses::look_after(const std::atomic<std::uint32_t>& in_kernel) {
  constexpr int most_looks = 50;
  find_new();
  for (const pid_t pid : children_.all()) reap(pid, false);
  if (rescue_is_under_way()) return Care::goes_on;
  Member& at_turn = members_.table[running_of(members_)];
  if (at_turn.turn == turn_wait) {
    // A hand-over is going on, unless the one that was at it is the dead one.
    if (looks_left_ == 0) looks_left_ = most_looks;
    return --looks_left_ == 0 ? Care::ended : Care::look_again;
  }
  looks_left_ = 0;
  if (children_.holds(at_turn.pid)) {
    wake(at_turn);  // in place of one that died before it could
    return Care::goes_on;
  }
  // What died at work in the kernel leaves nobody knows what behind.
  if (at_turn.turn == turn_at_work && in_kernel != 0) return Care::ended;
  return call_rescuer() ? Care::goes_on : Care::ended;
}

// The table changes while they live: a process writes its child's pid before it dies (a clone is
// not interrupted halfway), so that a child that was missed is found once its parent is gone.
int MachineProcesses::end() {
  for (;;) {
    find_new();
    children_.find_unnamed();
    const auto all = children_.all();
    if (all.empty()) return status_;
    for (const pid_t pid : all) children_.signal(pid, SIGKILL);
    for (const pid_t pid : all) reap(pid, true);
  }
}

void MachineProcesses::reaped_first(const rusage& usage) {
  members_.table[0].pid = pid_gone;
  cost_ += monitor::cost_of(usage);
}

}  // namespace extended
