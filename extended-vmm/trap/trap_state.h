// What the trap path keeps from one entry to its exit, and from an exit to the next entry. One
// object for the whole machine, in the window: only one of its host processes runs, and what
// belongs to each of them is in HostProcess (upcall.h). Written by direct.S, upcall.cpp, nested.cpp
// and vectors.cpp, in kernel mode; `volatile` is what a nested signal writes under running code.
#pragma once

#include <cstdint>

#include "extended-vmm/trap/gate.h"
#include "extended-vmm/trap/signal_frame.h"
#include "vmi/trap_frame.h"

namespace extended {

struct TrapState {
  // -- The last entry.
  /// The trap frame that it filled, if it was a direct one; else null. If not null: nothing has
  /// disarmed the signal stack since, the entry left nothing there, and what the direct block holds
  /// is this frame's.
  vmi::TrapFrame* direct_frame = nullptr;

  // -- Set once, at the start.
  /// KernelHeader::upcall, or what comes before it where accounts of time are kept (account.cpp).
  void (*direct_upcall)(vmi::TrapFrame*) = nullptr;
  /// Where the host puts the frame of a signal that finds user mode: always there, because the
  /// signal stack is empty then. Null until the first trap, which start() makes to learn it.
  SignalFrame* first_frame = nullptr;
  /// Its XSAVE area, as nobody had touched it yet: a later frame's own pointer is the guest's word.
  void* first_vectors = nullptr;

  // -- What user code must not find outside of the window when it goes on (scrub_what_others_left).
  /// The first frame tells of this trap frame's registers; null: of nobody's. The one that leaves
  /// may see it if it is its own.
  vmi::TrapFrame* signal_frame_of = nullptr;
  /// In the place of this one or of direct_frame: of a thread that had the same kernel stack, and
  /// so the same frame.
  vmi::TrapFrame anothers_frame{};
  /// There is more than the first frame: that of an overtaken entry, or of a signal that came in
  /// kernel mode after a direct entry. Nobody may see it.
  volatile bool residue_on_signal_stack = false;

  // -- Due before user code goes on.
  /// A host tick came: devices want polling.
  volatile bool tick_seen = false;
  /// A trap flag came with the guest into the kernel: its SIGTRAP is due at the return.
  volatile bool debug_trap_due = false;

  // -- The vector state that user mode is to have (vectors.cpp).
  enum class Vectors { registers, first_frame, home };
  /// Where its newest copy is. At the exit it is in the registers.
  Vectors vectors_in = Vectors::registers;
  /// The current thread's, in the guest kernel's memory; null: it has none.
  void* vectors_home = nullptr;

  void note_frame(const SignalFrame* frame) {
    const auto at = reinterpret_cast<std::uint64_t>(frame);
    if (at >= signal_stack_base && at < signal_stack_base + signal_stack_bytes)
      residue_on_signal_stack = true;
  }
  /// The next to leave may be another thread than the last, from its frame.
  void note_other_thread() {
    if (direct_frame != nullptr) direct_frame = &anothers_frame;
    if (signal_frame_of != nullptr) signal_frame_of = &anothers_frame;
  }
};

extern "C" TrapState trap_state;

}  // namespace extended
