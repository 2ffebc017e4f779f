// The shared-info page: first page of the window, written by monitor and guest kernel. In the
// baseline the VMM process sees it through its own mapping of the memfd; in the extended VMM the
// resident monitor does. Fields say who writes them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "vmi/address_map.h"
#include "vmi/trap_frame.h"

namespace vmi {

/// Interrupt lines: bits of SharedInfo::pending. Raised by devices, cleared by the guest kernel.
enum Irq : std::uint32_t { irq_timer = 0, irq_console = 1, irq_block = 2, irq_socket = 3 };

/// Host TSC to nanoseconds: ns = base_ns + ((tsc - base_tsc) * mult) >> shift, one pair for
/// each clock. Written once by the launcher; `mult` is below 2^32, so the product needs 128 bits.
struct TimeScale {
  std::uint64_t base_tsc;
  std::uint64_t monotonic_ns;  // CLOCK_MONOTONIC at base_tsc
  std::uint64_t realtime_ns;   // CLOCK_REALTIME at base_tsc
  std::uint32_t mult;
  std::uint32_t shift;
};

/// A guest-kernel access to user memory that may fault. While `landing` is set and the fault's
/// address is in the user range, the monitor resumes the kernel at `landing` (nothing else in
/// the registers changed) and stores what happened; of error_code, fault_write may be missing: the
/// code that made the access knows. Guest kernel: landing. Monitor: the rest.
struct UserAccess {
  std::uint64_t landing;
  std::uint64_t fault_address;
  std::uint64_t error_code;
};

/// Counters, all monotonic. `g`: guest kernel, `m`: monitor. Names go into results as they are.
#define VMI_COUNTERS(X)                                                                  \
  X(upcalls_syscall)                                                                     \
  X(upcalls_page_fault)                                                                  \
  X(upcalls_exception)                                                                   \
  X(upcalls_interrupt)                                                                   \
  X(upcalls_int80)                                                                       \
  X(upcalls_own_text) /*m*/                                                              \
  X(upcalls_direct)                                                                      \
  X(sites_patched)                                                                       \
  X(text_answers_refused)                                                                \
  X(text_restored)                                                                       \
  X(calls_without_room) /*m*/                                                            \
  X(host_calls)                                                                          \
  X(window_openings)                                                                     \
  X(attic_openings)                                                                      \
  X(attic_faults) X(pages_mapped) X(space_switches) X(device_accesses)             /*m*/ \
      X(kernel_access_faults) X(stray_device_accesses)                             /*m*/ \
      X(context_switches) X(page_faults_served) X(faults_anonymous) X(faults_file) /*g*/ \
      X(faults_remapped) X(cow_breaks) X(forks) X(execs) X(exits)                  /*g*/ \
      X(unknown_syscalls)                                                          /*g*/

struct Counters {
#define X(name) std::uint64_t name;
  VMI_COUNTERS(X)
#undef X
};

/// System calls nobody serves, by number, so that the summary can name them. Guest kernel.
inline constexpr std::uint32_t unknown_syscall_slots = 512;

/// Host calls in kernel mode, by number: higher ones nobody makes. Monitor.
inline constexpr std::uint32_t host_call_slots = 320;

struct SharedInfo {
  static constexpr std::uint64_t magic_value = 0x74797065'74776f31;  // "typetwo1"
  std::uint64_t magic;
  std::uint32_t version;
  /// Non-zero from "window opened" to "about to close". The only judge of user or kernel mode in
  /// the extended VMM; in the baseline the VMM process knows better and does not read it.
  std::atomic<std::uint32_t> in_kernel;
  /// Pending interrupts. Monitor sets, guest kernel clears (atomic and/or).
  std::atomic<std::uint32_t> pending;
  std::uint32_t reserved;
  /// CLOCK_MONOTONIC ns at which the guest wants irq_timer, 0 for never. Guest kernel. The clock
  /// device looks at it on every host tick (10 ms) and when idle, so granularity is one tick; as it
  /// raises irq_timer it stores 0, so that each deadline stored raises once.
  std::atomic<std::uint64_t> timer_deadline;
  /// Host ticks that found the guest in user mode, and in kernel mode; it may be idle at the
  /// latter. They wrap round. Monitor.
  std::atomic<std::uint32_t> ticks_in_user, ticks_in_kernel;
  /// The frame given by the last return_to_user: where the next upcall goes. Monitor.
  TrapFrame* current_frame;
  UserAccess user_access;
  TimeScale time;
  Counters counters;
  std::uint16_t unknown_syscall[unknown_syscall_slots];  // times seen, saturating
  /// The console's size, rows << 16 | columns; 0: unknown. Launcher: at boot, and when the host's
  /// terminal has changed; then it raises irq_console.
  std::atomic<std::uint32_t> console_size;
  std::uint64_t host_calls[host_call_slots];

  void count_host_call(std::uint64_t number) {
    ++counters.host_calls;
    if (number < host_call_slots) ++host_calls[number];
  }
};

inline constexpr std::uint32_t vmi_version = 1;

static_assert(sizeof(SharedInfo) <= shared_info_bytes);

}  // namespace vmi
