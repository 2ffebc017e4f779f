// The observer's table: see allowed_calls.h. It knows nothing of the filter's. By site first, then
// by number.
#include "extended-vmm/allowed_calls.h"

#include <linux/audit.h>
#include <sys/syscall.h>

#include <cstddef>

#include "vmi/devices.h"

namespace extended {
namespace {

using Arguments = const std::uint64_t (&)[6];

/// [at, at + bytes) within [begin, end)?
bool inside(std::uint64_t at, std::uint64_t bytes, std::uint64_t begin, std::uint64_t end) {
  return at >= begin && at <= end && bytes <= end - at;
}
bool in_window(std::uint64_t at, std::uint64_t bytes) {
  return inside(at, bytes, vmi::window_base, vmi::window_base + vmi::window_size);
}
bool are_user_pages(std::uint64_t at, std::uint64_t bytes) {
  return at % 4096 == 0 && bytes % 4096 == 0 && bytes != 0 && vmi::is_user_range(at, bytes);
}
bool equal(Arguments a, std::initializer_list<std::uint64_t> expected) {
  std::size_t i = 0;
  for (std::uint64_t value : expected)
    if (a[i++] != value) return false;
  return true;
}

constexpr std::uint64_t map_shared_fixed = 0x11, map_populate = 0x8000;
constexpr std::uint64_t input = 0, output = 1, errors = 2, memory = 3, disk = 4, wake = 5,
                        doorbell = 6, awake = 7;

/// Bytes of the memfd that are page frames.
bool are_frames(const HostCallSites& m, std::uint64_t at, std::uint64_t bytes) {
  return inside(at, bytes, vmi::ram_offset, m.mapping_bytes);
}
/// Trampolines, which only the monitor writes.
bool are_trampolines(const HostCallSites& m, std::uint64_t at, std::uint64_t bytes) {
  return m.trap == Trap::direct && inside(at, bytes, vmi::trampolines_offset,
                                          vmi::trampolines_offset + vmi::trampolines_bytes);
}
bool are_on_disk(const HostCallSites& m, std::uint64_t at, std::uint64_t bytes) {
  return m.block_bytes != 0 && inside(at, bytes, 0, m.block_bytes);
}

/// The whole of window and RAM, as it is mapped where the protection is by mmap.
bool is_whole_mapping(const HostCallSites& m, Arguments a) {
  return equal(a, {vmi::window_base, m.mapping_bytes, 7, map_shared_fixed, memory, 0});
}

/// All of one slab of the attic, which is not there with the window.
bool is_slab(const HostCallSites& m, Arguments a) {
  const std::uint64_t from_begin = a[0] - vmi::attic_base;
  return m.protection.attic_by_slab && a[0] >= vmi::attic_base &&
         from_begin % vmi::attic_slab_stride == 0 &&
         from_begin / vmi::attic_slab_stride < m.attic_slabs && a[1] == vmi::attic_slab_bytes;
}
/// May be in a gap, where nothing is.
bool in_attic(const HostCallSites& m, std::uint64_t at, std::uint64_t bytes) {
  return inside(at, bytes, vmi::attic_base,
                vmi::attic_base + m.attic_slabs * vmi::attic_slab_stride);
}

bool may_map(const HostCallSites& m, Arguments a) {
  if (is_slab(m, a) && a[2] == 3 && a[3] == map_shared_fixed && a[4] == memory &&
      a[5] == a[0] - vmi::window_base)
    return true;
  if (m.protection.window == Window::is_mapped && is_whole_mapping(m, a)) return true;
  for (const vmi::TrampolineArea& area : vmi::trampoline_areas)
    if (a[0] == area.base)
      return m.trap == Trap::direct &&
             equal(a, {area.base, area.bytes, 5, map_shared_fixed, memory, area.offset});
  return are_user_pages(a[0], a[1]) && a[2] < 8 &&
         (a[3] == map_shared_fixed || a[3] == (map_shared_fixed | map_populate)) &&
         a[4] == memory && a[5] % 4096 == 0 && are_frames(m, a[5], a[1]);
}

/// User memory; at the start all that is neither gate, alternate stack, window nor the RAM behind.
bool may_unmap(const HostCallSites& m, Arguments a) {
  if (are_user_pages(a[0], a[1])) return true;
  const std::uint64_t end = a[0] + a[1];
  const auto is_gap = [&](std::uint64_t from, std::uint64_t to) {
    return a[0] == from && end == to;
  };
  const bool ram_stays = m.protection.window == Window::stays_open;
  return is_gap(0, vmi::gate_base) ||
         is_gap(vmi::gate_base + vmi::gate_size, vmi::alt_stack_base) ||
         is_gap(vmi::alt_stack_base + vmi::alt_stack_size, vmi::window_base) ||
         is_gap(ram_stays ? vmi::window_base + m.mapping_bytes : vmi::window_end,
                vmi::host_user_end);
}

/// pread64 (into) and pwrite64 (out of) memory of the process. Page frames only where they are not
/// mapped; the disk to and from what is mapped.
bool may_transfer(const HostCallSites& m, Arguments a, bool write) {
  if (a[0] == memory && are_trampolines(m, a[3], a[2])) return in_window(a[1], a[2]);
  if (a[0] == memory)
    return !m.protection.ram_is_mapped && are_frames(m, a[3], a[2]) &&
           (in_window(a[1], a[2]) || in_attic(m, a[1], a[2]) || vmi::is_user_range(a[1], a[2]));
  const std::uint64_t mapped = m.protection.ram_is_mapped ? m.mapping_bytes : vmi::window_size;
  return a[0] == disk && !(write && m.block_read_only) && are_on_disk(m, a[3], a[2]) &&
         inside(a[1], a[2], vmi::window_base, vmi::window_base + mapped);
}

bool may_write(const HostCallSites& m, Arguments a) {
  if (a[0] == wake) return m.trap == Trap::direct && a[2] == 8 && in_window(a[1], 8);
  if (a[0] == doorbell) return m.has_sockets && a[2] == 8 && in_window(a[1], 8);
  constexpr std::uint64_t ring = vmi::rings_base + offsetof(vmi::Rings, console_out.data);
  if (a[0] == output) return inside(a[1], a[2], ring, ring + sizeof(vmi::Rings::console_out.data));
  return a[0] == errors && in_window(a[1], a[2]);
}

bool may_copy_disk(const HostCallSites& m, Arguments a) {
  const bool reads = a[0] == memory && a[1] == disk;
  const bool writes = a[0] == disk && a[1] == memory && !m.block_read_only;
  return m.block_bytes != 0 && !m.protection.ram_is_mapped && (reads || writes) &&
         in_window(a[2], 8) && a[3] <= m.mapping_bytes;
}

bool may_seek(const HostCallSites& m, Arguments a) {
  const bool in_file = a[0] == memory ? a[1] <= m.mapping_bytes
                                      : a[0] == disk && !m.block_read_only && a[1] <= m.block_bytes;
  return m.block_bytes != 0 && !m.protection.ram_is_mapped && in_file && a[2] == 0;
}

/// The member in whose slot `field` is, if it is at that offset.
bool is_in_slot(std::uint64_t address, std::uint64_t field) {
  const std::uint64_t table =
      vmi::resident_base + offsetof(ResidentImage, members) + offsetof(Members, table);
  return inside(address, 4, table, table + sizeof(Members::table)) &&
         (address - table) % sizeof(Member) == field;
}

/// To wait for one's turn, or to give it.
bool may_hand_over(Arguments a) {
  constexpr std::uint64_t wait = 0, wake_one = 1;
  return is_in_slot(a[0], offsetof(Member, turn)) &&
         ((a[1] == wait && a[2] == 0 && a[3] == 0) || (a[1] == wake_one && a[2] == 1));
}

/// CLONE_FILES, CLONE_PARENT and CLONE_PARENT_SETTID; no thread, no exit signal of its own. Stack
/// and pid of one and the same slot.
bool may_clone(Arguments a) {
  const std::uint64_t slot = a[2] - offsetof(Member, pid);
  return a[0] == (0x400u | 0x8000u | 0x100000u) && is_in_slot(a[2], offsetof(Member, pid)) &&
         inside(a[1], 0, slot, slot + sizeof(Member)) && a[3] == 0 && a[4] == 0;
}

bool may_poll(Arguments a) {
  return in_window(a[0], 32) && a[1] <= 4 && (a[2] == 0 || in_window(a[2], 16)) && a[3] == 0 &&
         a[4] == 8;
}

bool allowed_in_window(const HostCallSites& m, std::uint64_t number, Arguments a) {
  const bool pooled = m.spaces == Spaces::pool;
  switch (number) {
    case SYS_mmap:
      return may_map(m, a);
    case SYS_munmap:
      return may_unmap(m, a);
    case SYS_mprotect:
      return (are_user_pages(a[0], a[1]) && a[2] < 8) ||
             (is_slab(m, a) && (a[2] == 3 || a[2] == 0));
    case SYS_madvise:
      return is_slab(m, a) && a[2] == 25;  // MADV_COLLAPSE
    case SYS_pread64:
    case SYS_pwrite64:
      return may_transfer(m, a, number == SYS_pwrite64);
    case SYS_pwritev:
      return !m.protection.ram_is_mapped && a[0] == memory && in_window(a[1], 16) && a[2] <= 32 &&
             are_frames(m, a[3], 1) && a[4] == 0;
    case SYS_sendfile:
      return may_copy_disk(m, a);
    case SYS_lseek:
      return may_seek(m, a);
    case SYS_fdatasync:
      return m.block_bytes != 0 && a[0] == disk;
    case SYS_read:
      return (a[0] == input && in_window(a[1], a[2])) ||
             (a[0] == awake && m.has_sockets && a[2] == 8 && in_window(a[1], 8));
    case SYS_write:
      return may_write(m, a);
    case SYS_ppoll:
      return may_poll(a);
    case SYS_clock_gettime:
      return a[0] <= 1 && in_window(a[1], 16);
    case SYS_getrandom:
      return in_window(a[0], a[1]) && a[2] == 0;
    case SYS_setitimer:
      return a[0] == 2 && in_window(a[1], 32) && a[2] == 0;
    case SYS_sigaltstack:
      return in_window(a[0], 24) && a[1] == 0;
    case SYS_rt_sigprocmask:
      return pooled && a[0] == 2 && in_window(a[1], 8) && a[2] == 0 && a[3] == 8;
    case SYS_futex:
      return pooled && may_hand_over(a);
    case SYS_clone:
      return pooled && may_clone(a);
    case SYS_prctl:
      return pooled && a[0] == 1 && a[1] == 9;  // PR_SET_PDEATHSIG, SIGKILL
    case SYS_getppid:
      return pooled;
    case SYS_exit_group:
      return a[0] <= 1;
    default:
      return false;
  }
}

bool opens(const HostCallSites& m, std::uint64_t number, Arguments a) {
  if (m.protection.window == Window::is_mapped) return number == SYS_mmap && is_whole_mapping(m, a);
  return m.protection.window == Window::changes_access && number == SYS_mprotect &&
         equal(a, {vmi::window_base, vmi::window_size, 7});
}

bool closes(const HostCallSites& m, std::uint64_t number, Arguments a) {
  if (m.protection.window == Window::is_mapped)
    return number == SYS_munmap && equal(a, {vmi::window_base, m.mapping_bytes});
  return m.protection.window == Window::changes_access && number == SYS_mprotect &&
         equal(a, {vmi::window_base, vmi::window_size, 0});
}

/// Linux exempts these from every filter (since 6.14 and 6.18). Outside of the trampoline of a
/// host's probe it answers with SIGILL and ENXIO, and does nothing.
bool passes_any_filter(const monitor::ObservedCall& call) {
  constexpr std::uint64_t uretprobe = 335, uprobe = 336;
  return !call.in_kernel && (call.number == uretprobe || call.number == uprobe);
}

}  // namespace

bool is_allowed(const HostCallSites& m, const monitor::ObservedCall& call) {
  if (call.arch != AUDIT_ARCH_X86_64) return false;
  if (passes_any_filter(call)) return true;
  if (call.ip == m.host_call)
    return call.in_kernel && allowed_in_window(m, call.number, call.arguments);
  if (call.ip == m.signal_return) return call.in_kernel && call.number == SYS_rt_sigreturn;
  if (call.ip == m.opened || call.ip == m.direct_opened)
    return opens(m, call.number, call.arguments);
  return (call.ip == m.closed || call.ip == m.direct_closed) &&
         closes(m, call.number, call.arguments);
}

}  // namespace extended
