// The address map of a guest-machine process: who lives where. Guest kernel, resident parts,
// launchers and the gate's assembly all take their addresses from here.
//
//   0x7fff'ffff'f000  end of the 47-bit user range
//                     guest RAM, direct map (only under protect=none, and while open under mmap)
//   ram_base          = window_base + window_size
//                     THE WINDOW, inaccessible while guest user code runs (not under none):
//                       + kernel heap: kernel stacks, frame table, inodes, address spaces
//                       + guest kernel image (text, data, bss)
//                       + trampolines, as the resident part writes them
//                       + resident part of the monitor (text, data, bss)
//                       + accounts
//                       + device rings
//                       + boot info page
//                       + shared-info page
//   window_base       2 MiB aligned
//                     nothing, ever (guard)
//   alt_stack_base    alternate signal stack: reachable by guest user code, believed by nobody
//                     nothing, ever (guard)
//   gate_base         the gate: the only monitor code that guest user code can reach
//                     nothing, ever (guard)
//   trampolines_high  trampolines again, read-only and executable: jumped to from patched code
//                     nothing, ever (guard)
//   user_end          -----------------------------------------------------------------
//                     guest user memory, all of it
//   user_begin        -----------------------------------------------------------------
//   trampolines_low   and again, for code in low memory: a jump reaches 2 GiB
//                     the host refuses mappings below its mmap_min_addr
//
// The whole of window and RAM is one memfd: window at offset 0, page frame 0 at window_size.
#pragma once

// Assembly cannot read constexpr; gate sources use these; a static_assert below holds them equal.
#define VMI_GATE_BASE 0x7fff10000000
#define VMI_ALT_STACK_BASE 0x7fff10100000
#define VMI_WINDOW_BASE 0x7fff20000000
#define VMI_WINDOW_SIZE 0x400000

#ifndef __ASSEMBLER__

#include <cstddef>
#include <cstdint>

namespace vmi {

inline constexpr std::uint64_t page_shift = 12;
inline constexpr std::uint64_t page_size = 1ul << page_shift;
inline constexpr std::uint64_t huge_page_size = 2ul << 20;

inline constexpr std::uint64_t trampolines_low = 0x10000;
inline constexpr std::uint64_t user_begin = 0x20000;
inline constexpr std::uint64_t user_end = 0x7fff'0000'0000;

inline constexpr std::uint64_t trampolines_high = 0x7fff'0800'0000;
inline constexpr std::uint64_t trampolines_size = 8 * page_size;

inline constexpr std::uint64_t gate_base = 0x7fff'1000'0000;
inline constexpr std::uint64_t gate_size = 2 * page_size;  // code, then read-only constants

inline constexpr std::uint64_t alt_stack_base = 0x7fff'1010'0000;
inline constexpr std::uint64_t alt_stack_size = 64 * 1024;

inline constexpr std::uint64_t window_base = 0x7fff'2000'0000;
inline constexpr std::uint64_t window_size = 2 * huge_page_size;
inline constexpr std::uint64_t window_end = window_base + window_size;

inline constexpr std::uint64_t shared_info_base = window_base;
inline constexpr std::uint64_t boot_info_base = window_base + 0x1000;
inline constexpr std::uint64_t rings_base = window_base + 0x2000;
inline constexpr std::uint64_t accounts_base = window_base + 0xd000;
inline constexpr std::uint64_t resident_base = window_base + 0x10000;
inline constexpr std::uint64_t trampolines_base = window_base + 0x48000;
inline constexpr std::uint64_t kernel_base = window_base + 0x50000;  // heap follows its bss

inline constexpr std::uint64_t ram_base = window_end;
inline constexpr std::uint64_t ram_min = 16ul << 20;
inline constexpr std::uint64_t ram_max = 2ul << 30;

/// Page frame number: index of a 4 KiB page of guest RAM.
using Frame = std::uint32_t;

/// Offset of a frame in the guest memory's memfd.
constexpr std::uint64_t frame_offset(Frame frame) {
  return window_size + (static_cast<std::uint64_t>(frame) << page_shift);
}

constexpr bool is_user_range(std::uint64_t va, std::uint64_t bytes) {
  return va >= user_begin && va <= user_end && bytes <= user_end - va;
}

static_assert(window_base % huge_page_size == 0 && window_size % huge_page_size == 0);
static_assert(gate_base == VMI_GATE_BASE && alt_stack_base == VMI_ALT_STACK_BASE &&
              window_base == VMI_WINDOW_BASE && window_size == VMI_WINDOW_SIZE);
static_assert(trampolines_low + trampolines_size < user_begin && user_end < trampolines_high &&
              trampolines_high + trampolines_size < gate_base &&
              trampolines_base + trampolines_size == kernel_base);
static_assert(user_end < gate_base && gate_base + gate_size < alt_stack_base);
static_assert(alt_stack_base + alt_stack_size < window_base);
static_assert(ram_base + ram_max < 0x7fff'ffff'f000);

}  // namespace vmi
#endif
