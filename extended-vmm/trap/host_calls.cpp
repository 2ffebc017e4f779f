// The table of host_calls.h. Each line says what some function of the resident part does: look
// there (protect/, spaces/, resident/, trap/) before you change it.
#include "extended-vmm/trap/host_calls.h"

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <bit>
#include <cstddef>

#include "devices/waits.h"
#include "monitor/guest/process_fd.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25  // Linux 6.1; Debian 12's headers are older than its kernel
#endif

namespace extended {
namespace {

struct Area {
  std::uint64_t begin, end;
};

template <class T>
Limit equals(int argument, T value) {
  return {.kind = Limit::Kind::equals,
          .argument = argument,
          .value = static_cast<std::uint64_t>(value)};
}
Limit bits(int argument, std::uint64_t mask) {
  return {.kind = Limit::Kind::bits, .argument = argument, .value = mask};
}
Limit at_most(int argument, std::uint64_t value) {
  return {.kind = Limit::Kind::at_most, .argument = argument, .value = value};
}
Limit holds(int argument, std::uint64_t bytes, Area area) {
  return {.kind = Limit::Kind::lies_in,
          .argument = argument,
          .value = bytes,
          .begin = area.begin,
          .end = area.end};
}
Limit range(int argument, int length, Area area) {
  return {.kind = Limit::Kind::lies_in,
          .argument = argument,
          .begin = area.begin,
          .end = area.end,
          .length = length};
}

/// A slab of the attic begins there.
Limit slab(int argument, std::uint32_t slabs) {
  return {.kind = Limit::Kind::step,
          .argument = argument,
          .value = vmi::attic_slab_stride,
          .begin = vmi::attic_base,
          .end = vmi::attic_slab(slabs)};
}
static_assert(vmi::window_base >> 32 == (vmi::attic_base + vmi::attic_size - 1) >> 32 &&
              std::has_single_bit(vmi::attic_slab_stride));
/// The memfd's part that belongs at the address in `address`.
Limit its_memory(int argument, int address) {
  return {.kind = Limit::Kind::follows,
          .argument = argument,
          .value = vmi::window_base,
          .length = address};
}

constexpr Area user{vmi::user_begin, vmi::user_end};
constexpr Area window{vmi::window_base, vmi::window_end};
constexpr std::uint64_t members_base = vmi::resident_base + offsetof(ResidentImage, members);
constexpr Area members{members_base, members_base + sizeof(Members)};

constexpr std::uint64_t rwx = PROT_READ | PROT_WRITE | PROT_EXEC;
constexpr std::uint64_t shared_fixed = MAP_SHARED | MAP_FIXED;
constexpr int memory_fd = monitor::guest_memory_fd, block_fd = monitor::guest_block_fd;
constexpr std::uint64_t signal_set_bytes = 8;

class Table {
 public:
  explicit Table(const HostCallSites& machine) : machine_(machine) {}
  void allow(std::uint32_t number, std::vector<Limit> limits) {
    rules_.push_back({number, std::move(limits)});
  }
  void signals();
  void mappings();
  void attic();
  void trampolines();
  void frames();
  void turns();
  void devices();
  void disk();
  void sockets();
  std::vector<HostCallRule> take() { return std::move(rules_); }

 private:
  const HostCallSites& machine_;
  /// Of the memfd: the page frames, and all of it.
  const Area frames_{vmi::ram_offset, machine_.mapping_bytes}, memory_{0, machine_.mapping_bytes};
  std::vector<HostCallRule> rules_;
};

// trap/upcall.cpp
void Table::signals() {
  allow(SYS_sigaltstack, {holds(0, sizeof(stack_t), window), equals(1, 0)});
}

// protect/mappings.cpp, spaces/remap.cpp; at the start: resident/start.cpp, trap/trampolines.cpp,
// monitor/resident/unmap_host.h
void Table::mappings() {
  for (std::uint64_t flags : {shared_fixed | MAP_POPULATE, shared_fixed})
    allow(SYS_mmap, {range(0, 1, user), bits(2, rwx), equals(3, flags), equals(4, memory_fd),
                     range(5, 1, frames_)});
  if (machine_.protection.window == Window::is_mapped)
    allow(SYS_mmap, {equals(0, vmi::window_base), equals(1, machine_.mapping_bytes), equals(2, rwx),
                     equals(3, shared_fixed), equals(4, memory_fd), equals(5, 0)});
  if (machine_.trap == Trap::direct)
    for (const vmi::TrampolineArea& area : vmi::trampoline_areas)
      allow(SYS_mmap,
            {equals(0, area.base), equals(1, area.bytes), equals(2, PROT_READ | PROT_EXEC),
             equals(3, shared_fixed), equals(4, memory_fd), equals(5, area.offset)});
  allow(SYS_munmap, {range(0, 1, user)});
  const std::uint64_t behind = machine_.protection.window == Window::stays_open
                                   ? vmi::window_base + machine_.mapping_bytes
                                   : vmi::window_end;
  const Area gaps[] = {{0, vmi::gate_base},
                       {vmi::gate_base + vmi::gate_size, vmi::alt_stack_base},
                       {vmi::alt_stack_base + vmi::alt_stack_size, vmi::window_base},
                       {behind, vmi::host_user_end}};
  for (const Area& gap : gaps)
    allow(SYS_munmap, {equals(0, gap.begin), equals(1, gap.end - gap.begin)});
  allow(SYS_mprotect, {range(0, 1, user), bits(2, rwx)});
}

// protect/attic.cpp; under the other protections it is mapped with the window.
void Table::attic() {
  if (!machine_.protection.attic_by_slab) return;
  const Limit begin = slab(0, machine_.attic_slabs), length = equals(1, vmi::attic_slab_bytes);
  for (std::uint64_t protection : {PROT_READ | PROT_WRITE, PROT_NONE})
    allow(SYS_mprotect, {begin, length, equals(2, protection)});
  allow(SYS_mmap, {begin, length, equals(2, PROT_READ | PROT_WRITE), equals(3, shared_fixed),
                   equals(4, memory_fd), its_memory(5, 0)});
  allow(SYS_madvise, {begin, length, equals(2, MADV_COLLAPSE)});
}

// trap/trampolines.cpp
void Table::trampolines() {
  if (machine_.trap != Trap::direct) return;
  const Area all{vmi::trampolines_offset, vmi::trampolines_offset + vmi::trampolines_bytes};
  for (std::uint32_t number : {SYS_pread64, SYS_pwrite64})
    allow(number, {equals(0, memory_fd), range(1, 2, window), range(3, 2, all)});
}

// protect/frames.cpp; under the other protections frames are reached through their mapping.
void Table::frames() {
  if (machine_.protection.ram_is_mapped) return;
  constexpr std::uint64_t most_vectors = 32;
  const Area attic{vmi::attic_base, vmi::attic_slab(machine_.attic_slabs)};
  for (std::uint32_t number : {SYS_pread64, SYS_pwrite64})
    for (Area buffer : {user, window, attic})
      allow(number, {equals(0, memory_fd), range(1, 2, buffer), range(3, 2, frames_)});
  allow(SYS_pwritev, {equals(0, memory_fd), holds(1, 0, window), at_most(2, most_vectors),
                      holds(3, 1, frames_), equals(4, 0)});
}

// spaces/pool.cpp, spaces/handover.S
void Table::turns() {
  if (machine_.spaces != Spaces::pool) return;
  const Limit turn = holds(0, sizeof(Member::turn), members);
  allow(SYS_futex, {turn, equals(1, FUTEX_WAKE), equals(2, 1)});
  allow(SYS_futex, {turn, equals(1, FUTEX_WAIT), equals(2, turn_wait), equals(3, 0)});
  allow(SYS_rt_sigprocmask, {equals(0, SIG_SETMASK), holds(1, signal_set_bytes, window),
                             equals(2, 0), equals(3, signal_set_bytes)});
  allow(SYS_clone,
        {equals(0, CLONE_FILES | CLONE_PARENT | CLONE_PARENT_SETTID), holds(1, 0, members),
         holds(2, sizeof(Member::pid), members), equals(3, 0), equals(4, 0)});
  allow(SYS_prctl, {equals(0, PR_SET_PDEATHSIG), equals(1, SIGKILL)});
  allow(SYS_getppid, {});
}

// devices/console_port.cpp, devices/entropy_port.cpp, resident/host.cpp, resident/start.cpp,
// trap/sites.cpp; the end: spaces/pool.cpp
void Table::devices() {
  for (int stream : {STDOUT_FILENO, STDERR_FILENO})
    allow(SYS_write, {equals(0, stream), range(1, 2, window)});
  if (machine_.trap == Trap::direct)
    allow(SYS_write, {equals(0, monitor::guest_wake_fd), holds(1, 8, window), equals(2, 8)});
  allow(SYS_read, {equals(0, STDIN_FILENO), range(1, 2, window)});
  const Limit polls[] = {holds(0, devices::Waits::most * sizeof(devices::Waits::Entry), window),
                         at_most(1, devices::Waits::most), equals(3, 0),
                         equals(4, signal_set_bytes)};
  for (const Limit& timeout : {equals(2, 0), holds(2, sizeof(timespec), window)})
    allow(SYS_ppoll, {polls[0], polls[1], timeout, polls[2], polls[3]});
  allow(SYS_clock_gettime, {at_most(0, CLOCK_MONOTONIC), holds(1, sizeof(timespec), window)});
  allow(SYS_getrandom, {range(0, 1, window), equals(2, 0)});
  allow(SYS_setitimer, {equals(0, ITIMER_PROF), holds(1, sizeof(itimerval), window), equals(2, 0)});
  allow(SYS_exit_group, {at_most(0, 1)});
}

// devices/block_port.cpp
void Table::disk() {
  if (machine_.block_bytes == 0) return;
  const Area image{0, machine_.block_bytes};
  const Area mapped{vmi::window_base, machine_.protection.ram_is_mapped
                                          ? vmi::window_base + machine_.mapping_bytes
                                          : vmi::window_end};
  const bool writable = !machine_.block_read_only;
  allow(SYS_pread64, {equals(0, block_fd), range(1, 2, mapped), range(3, 2, image)});
  if (writable) allow(SYS_pwrite64, {equals(0, block_fd), range(1, 2, mapped), range(3, 2, image)});
  allow(SYS_fdatasync, {equals(0, block_fd)});
  if (machine_.protection.ram_is_mapped) return;
  auto passes = [&](int to, int from, Area target) {
    allow(SYS_lseek, {equals(0, to), holds(1, 0, target), equals(2, SEEK_SET)});
    allow(SYS_sendfile,
          {equals(0, to), equals(1, from), holds(2, 8, window), at_most(3, target.end)});
  };
  passes(memory_fd, block_fd, memory_);
  if (writable) passes(block_fd, memory_fd, image);
}

// devices/socket_port.cpp
void Table::sockets() {
  if (!machine_.has_sockets) return;
  allow(SYS_write, {equals(0, monitor::guest_doorbell_fd), holds(1, 8, window), equals(2, 8)});
  allow(SYS_read, {equals(0, monitor::guest_awake_fd), holds(1, 8, window), equals(2, 8)});
}

}  // namespace

std::vector<HostCallRule> window_calls(const HostCallSites& machine) {
  Table table(machine);
  table.signals();
  table.mappings();
  table.attic();
  table.trampolines();
  table.frames();
  table.turns();
  table.devices();
  table.disk();
  table.sockets();
  return table.take();
}

}  // namespace extended
