// The gate: the only monitor code that guest user code can reach. Position-independent, one piece
// for each protection; the launcher copies the right one to vmi::gate_base (trap/gate.S).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "extended-vmm/resident/image.h"
#include "vmi/address_map.h"

namespace extended {

/// Second page of the gate, read-only to everybody. Offsets are known to gate.S.
struct GateConstants {
  void (*signal_entry)();       // in the window
  std::uint64_t mapping_bytes;  // window + RAM: length of the gate's mmap and munmap
};
static_assert(offsetof(GateConstants, mapping_bytes) == 8);

/// The parameters of a leaving kernel, popped by the gate in this order once the window is closed.
/// They lie on the first page of the alternate stack's area, where user code can read and forge
/// them: a forged block leads nowhere that user code could not go by itself.
struct ExitBlock {
  std::uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
  std::uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx;
  std::uint64_t rip, cs, rflags, rsp, ss;  // iretq
};
inline constexpr std::uint64_t exit_block_base = vmi::alt_stack_base + 0x800;

/// The signal stack proper: the rest of the area.
inline constexpr std::uint64_t signal_stack_base = vmi::alt_stack_base + vmi::page_size;
inline constexpr std::uint64_t signal_stack_bytes = vmi::alt_stack_size - vmi::page_size;

/// Offsets within the gate page of what the filter and the resident part must recognise.
struct Gate {
  std::span<const std::byte> code;
  std::uint64_t exit_offset;    // from here on a signal interrupted a leaving kernel
  std::uint64_t opened_offset;  // after the opening syscall instruction; 0: there is none
  std::uint64_t closed_offset;  // after the closing one
};
Gate gate_for(Protect);

/// Offset of the exit sequence, the same in every variant (gate.S asserts it): the resident part
/// jumps there.
inline constexpr std::uint64_t gate_exit = vmi::gate_base + 0x100;
inline constexpr std::uint64_t gate_exit_end = vmi::gate_base + 0x200;

}  // namespace extended
