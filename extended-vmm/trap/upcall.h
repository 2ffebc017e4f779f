// The resident part's inner seams between trap, protect, spaces and resident.
#pragma once

#include <asm/errno.h>

#include <cstdint>

#include "devices/machine.h"
#include "extended-vmm/resident/image.h"
#include "extended-vmm/trap/host_call_numbers.h"
#include "monitor/resident/host_result.h"
#include "monitor/resident/window.h"

namespace extended {

using monitor::accounts;
using monitor::kernel;
using monitor::shared_info;
using monitor::time_accounts;
ResidentImage& image();
devices::Machine& machine();

/// Slabs of the attic in a host process, a bit for each. One that is cloned has its maker's.
struct AtticState {
  std::uint64_t mapped, open;
};

/// What the host keeps of each host process, as far as it matters here. A new one has nothing.
struct HostProcess {
  bool ticks;               // start_ticks() was called
  bool signal_stack_armed;  // a signal disarms it, a direct entry does not
  /// Whose vector state (Hypercalls::load_vectors) its registers have, written back to its home;
  /// null: nobody's.
  void* vectors_of;
  AtticState attic;
};
/// The one that runs.
HostProcess& host_process();

// -- trap/: see upcall.cpp
void arm_signal_stack();
/// A host tick, or a signal that means "look now": what has it found?
void note_tick(bool user_mode);

// -- trap/vectors.cpp
void vectors_are_in_first_frame();  // a signal from user mode has just saved them there
/// This host process, a member of the pool, is about to give its turn away.
void take_vectors();
void put_vectors_in_place();  // into the registers, to leave with
void save_vectors();
void load_vectors(void* home, bool written);

/// Hypercall: leaves for user mode with all of `frame`, unless an interrupt is due: then upcalls
/// first.
extern "C" [[noreturn]] void return_to_user(vmi::TrapFrame* frame);

/// The process that ran guest user code died with its registers; the calling one is in its place,
/// with in_kernel = 1. The guest kernel hears of a machine check.
[[noreturn]] void enter_after_death();

/// Ends the process with a report of who died where.
[[noreturn]] void die(const char* message, const DeathRegisters& registers);
/// The same, of a host call that cannot fail. Wants little stack: handover.S has little.
extern "C" [[noreturn]] void die_of_host_call(const char* call, std::int64_t result);
/// The result of a host call that cannot fail.
inline std::int64_t sure(const char* call, std::int64_t result) {
  if (result < 0) [[unlikely]]
    die_of_host_call(call, result);
  return result;
}

// -- protect/: page frames and mappings (protect/frames.cpp, protect/mappings.cpp)
std::int64_t map(std::uint64_t va, vmi::Frame frame, vmi::Frames count, std::uint32_t protection,
                 std::uint32_t flags);
std::int64_t unmap(std::uint64_t va, vmi::Pages pages);
std::int64_t protect(std::uint64_t va, vmi::Pages pages, std::uint32_t protection);
vmi::Bytes copy_frame_to_user(vmi::Frame, vmi::Bytes offset, std::uint64_t va, vmi::Bytes bytes);
vmi::Bytes copy_user_to_frame(vmi::Frame, vmi::Bytes offset, std::uint64_t va, vmi::Bytes bytes);
void zero_frames(vmi::Frame, vmi::Frames count);
void copy_frames(vmi::Frame to, vmi::Frame from, vmi::Frames count);
void peek_frame(vmi::Frame, vmi::Bytes offset, void* to, vmi::Bytes bytes);
void poke_frame(vmi::Frame, vmi::Bytes offset, const void* from, vmi::Bytes bytes);

// -- protect/attic.cpp
/// False: there is no slab, or it is open already.
bool open_slab_of(std::uint64_t address);
/// vmi::Hypercalls::open_attic; also for pointers that the host is handed.
void open_attic(const void* begin, std::uint64_t bytes);
/// On the way to user mode, as the last thing in kernel mode. If the host refuses, the machine
/// dies: no guest code runs any more.
void close_attic();

// -- spaces/: address spaces (spaces/spaces.cpp chooses)
std::int64_t create_space(vmi::SpaceId);
void destroy_space(vmi::SpaceId);
void switch_space(vmi::SpaceId, const vmi::Extent* extents);
/// Gives this host process the address space `extents` describes, and no other page of guest user
/// memory.
void replace_mappings(const vmi::Extent* extents);
/// Ends the machine, whichever of its processes runs.
[[noreturn]] void end_machine(int status);

// -- resident/account.cpp
/// Once, at the start: direct entries and hypercalls go straight to their code, or if accounts of
/// time are kept by way of what charges them.
void set_up_accounts();
/// From user mode to here, as the gate's stamps tell; from now on pays `next`.
void account_entry(vmi::Accounts&, bool trapped, std::uint32_t next);

// -- resident/start.cpp
/// The tick that pre-empts guest programs, unless this host process has it already.
void start_ticks();

/// A host call, counted.
template <class... A>
std::int64_t counted_host(HostCall call, A... arguments);

}  // namespace extended

#include "monitor/resident/host_call.h"

template <class... A>
std::int64_t extended::counted_host(HostCall call, A... arguments) {
  shared_info().count_host_call(call.number);
  const vmi::Charged charged(time_accounts(), vmi::account_host_calls);
  return host(call.number, arguments...);
}
