// The gate: the only monitor code that guest user code can reach. Position-independent, one piece
// for each protection; the launcher copies the right one to vmi::gate_base (trap/gate.S).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "extended-vmm/resident/image.h"
#include "vmi/address_map.h"

namespace extended {

/// Second page of the gate, read-only to everybody.
inline constexpr std::uint64_t gate_constants_base = vmi::gate_base + vmi::page_size;
struct GateConstants {
  void (*signal_entry)();  // in the window
  std::uint64_t
      mapping_bytes;  // from the window to the end of RAM: length of the gate's mmap and munmap
  void (*direct_entry)();  // in the window
  void (*not_closed)();    // in the window, which did not close
};

/// The parameters of a leaving kernel, loaded by the gate once the window is closed.
/// They lie on the first page of the alternate stack's area, where user code can read and forge
/// them: a forged block leads nowhere that user code could not go by itself.
struct ExitBlock {
  std::uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
  std::uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx;
  std::uint64_t rip, cs, rflags, rsp, ss;  // in iretq's order
};
inline constexpr std::uint64_t exit_block_base = vmi::alt_stack_base + 0x800;

/// What a direct entry leaves there, on its way in: the registers that opening the window costs.
/// Forging it is a system call with other registers: all others, the flags among them, are taken
/// from the processor.
struct DirectBlock {
  std::uint64_t rdi, rsi, rdx, rax;
  std::uint64_t return_address;  // rcx
  std::uint64_t r8, r9, r10;
};
inline constexpr std::uint64_t direct_block_base = vmi::alt_stack_base + 0xc00;

/// When user code's last turn began and ended, by the TSC, where accounts of time are kept: of an
/// entry before the window is opened, of an exit after it is closed. User code can forge them.
struct Stamps {
  std::uint64_t entered, left;
};
inline constexpr std::uint64_t stamps_base = vmi::alt_stack_base + 0xe00;

/// The signal stack proper: the rest of the area.
inline constexpr std::uint64_t signal_stack_base = vmi::alt_stack_base + vmi::page_size;
inline constexpr std::uint64_t signal_stack_bytes = vmi::alt_stack_size - vmi::page_size;

/// Offsets within the gate page of what the filter and the resident part must recognise.
struct Gate {
  std::span<const std::byte> code;
  std::uint64_t opened_offset;  // after the opening syscall instruction, if there is one
  std::uint64_t closed_offset;  // after the closing one
  // The same of direct entry and exit; and where all registers are in the direct block.
  std::uint64_t direct_opened_offset, direct_closed_offset, direct_saved_offset;
};
/// Without the direct sequences, and with those offsets 0, where nobody enters that way.
Gate gate_for(Window, Trap, bool stamped);

/// Where the sequences begin, the same in every variant.
inline constexpr std::uint64_t gate_exit = vmi::gate_base + 0x100;
inline constexpr std::uint64_t gate_direct_entry = vmi::gate_base + 0x200;
inline constexpr std::uint64_t gate_direct_exit = vmi::gate_base + 0x300;
inline constexpr std::uint64_t gate_end = vmi::gate_base + 0x400;

}  // namespace extended
