// spaces=pool: a host process for each guest address space, kept between guest context switches;
// window and signal stack are shared mappings, the same in all of them. The paper's third extension
// gives one process several address-space definitions; a host without it has them in processes.
//
// Exactly one member runs. The others are parked in the host kernel, waiting for their turn, with
// the window open and asynchronous signals blocked: kernel mode, as the one that runs is during
// the hand-over. The guest kernel does not notice: its stack and registers are in the window, and
// pool_switch() returns in another process than the one that called it.
//
// A member whose guest address space has gone stays, with its old mappings, and gets rid of them
// when it is given another space: making and reaping host processes costs more.
//
// Somebody on the host may kill a member. What a parked one had is in the window, but for its
// mappings: another is made when its turn comes. When the running one dies in user mode, the
// launcher (members.cpp) calls a parked one to take its place, and the guest kernel hears that the
// registers are lost.
#include "extended-vmm/spaces/pool.h"

#include <asm/errno.h>
#include <asm/unistd_64.h>
#include <linux/futex.h>
#include <linux/sched.h>

#include <csignal>

#include "extended-vmm/trap/upcall.h"

extern "C" {
/// Clones the running process; the new one parks itself. The host's result: a pid or an error.
std::int64_t clone_member(extended::Member* made, std::uint64_t flags);
/// Parks the first, and goes on in the second. Returns there.
void hand_over(extended::Member* from, extended::Member* to);
/// Whose death a new member must not miss.
extern std::int32_t launcher_pid;
}

namespace extended {
namespace {

constexpr std::uint32_t most_spaces = 1024;
static_assert(most_members < 0xffff, "an index, and one more, in 16 bits");

/// Which member holds which space. Kept apart from Members: nobody outside needs it.
struct Pool {
  bool mapped[most_members];  // what its space maps; else what an earlier one did, or its maker
  HostProcess process[most_members];
  std::uint16_t free_list[most_members];
  std::uint32_t free_count;
  std::uint16_t member_of[most_spaces];  // index + 1; 0: none
  bool first_given;                     // the first process serves the first space
};
Pool pool;

Members& members() {
  return image().members;
}

void set_blocked_signals(std::uint64_t mask) {
  sure("rt_sigprocmask",
       counted_host(__NR_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof mask));
}

/// Its pid; negative: the host gives no more.
std::int64_t make_process(Member& member) {
  set_blocked_signals(~0ull);
  shared_info().count_host_call(__NR_clone);
  const std::int64_t pid = clone_member(&member, CLONE_FILES | CLONE_PARENT | CLONE_PARENT_SETTID);
  set_blocked_signals(0);
  return pid;
}

/// -1: no more.
int make_member() {
  Members& all = members();
  const std::uint32_t index = all.made;
  if (index == most_members || make_process(all.table[index]) < 0) return -1;
  pool.process[index].attic = host_process().attic;
  all.made = index + 1;
  return static_cast<int>(index);
}

/// Somebody killed it while it was parked. `from` runs.
void make_again(std::uint32_t index, std::uint32_t from) {
  sure("clone", make_process(members().table[index]));
  pool.mapped[index] = false;
  pool.process[index] = {};
  pool.process[index].attic = pool.process[from].attic;
}

}  // namespace

HostProcess& host_process() {
  return pool.process[members().running.load(std::memory_order_relaxed)];
}

std::int64_t pool_create(vmi::SpaceId id) {
  if (id >= most_spaces) return -EAGAIN;
  int index;
  if (!pool.first_given) {
    pool.first_given = true;
    launcher_pid = image().start_info.launcher;
    index = 0;
  } else if (pool.free_count != 0) {
    index = pool.free_list[--pool.free_count];
  } else {
    index = make_member();
  }
  if (index < 0) return -EAGAIN;
  pool.mapped[index] = false;
  pool.member_of[id] = static_cast<std::uint16_t>(index + 1);
  return 0;
}

void pool_destroy(vmi::SpaceId id) {
  const auto index = static_cast<std::uint16_t>(pool.member_of[id] - 1);
  pool.member_of[id] = 0;
  pool.free_list[pool.free_count++] = index;
}

void pool_switch(vmi::SpaceId id, const vmi::Extent* extents) {
  Members& all = members();
  const std::uint32_t from = all.running, to = pool.member_of[id] - 1u;
  if (to != from) {
    take_vectors();
    // Before the pid is looked at: the launcher, when it finds it dead, looks in the other order.
    all.running = to;
    if (all.table[to].pid == pid_gone) make_again(to, from);
    set_blocked_signals(~0ull);
    shared_info().count_host_call(__NR_futex);  // to wake it
    shared_info().count_host_call(__NR_futex);  // to wait
    hand_over(&all.table[from], &all.table[to]);
    set_blocked_signals(0);
    start_ticks();
  }
  if (pool.mapped[to]) return;
  replace_mappings(extents);
  pool.mapped[to] = true;
}

/// The launcher called the parked member `own`, as the process whose turn it was has died: `own`'s
/// process becomes that one's, and leaves `own` to be made again.
extern "C" Member* take_dead_ones_place(Member* own) {
  Members& all = members();
  const std::uint32_t from = static_cast<std::uint32_t>(own - all.table), to = all.running;
  pool.mapped[to] = false;
  pool.process[to] = {};
  pool.process[to].ticks = pool.process[from].ticks;
  pool.process[to].attic = pool.process[from].attic;
  Member& place = all.table[to];
  place.pid = own->pid.load();
  own->pid = pid_gone;
  own->turn = turn_wait;
  if (place.turn == turn_run) return &place;  // it was given its turn, and never began
  shared_info().in_kernel.store(1, std::memory_order_relaxed);
  start_ticks();
  set_blocked_signals(0);
  enter_after_death();
}

/// The launcher ends the others. Observers wait for the first process alone.
[[noreturn]] void end_machine(int status) {
  Members& all = members();
  if (all.running != 0) {
    all.table[0].turn = turn_end;
    // If that failed, too, the launcher would end it like the others.
    (void)counted_host(__NR_futex, &all.table[0].turn, FUTEX_WAKE, 1, nullptr, nullptr, 0);
  }
  for (;;) host(__NR_exit_group, status);
}

}  // namespace extended
