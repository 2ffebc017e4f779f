// The address map of a guest-machine process: who lives where. Guest kernel, resident parts and
// launchers take all addresses from here; assembly and linker scripts have them, and the offsets of
// structures, by way of headers that are printed when the tool is built (common/build/).
//
//   host_user_end     end of the 47-bit user range
//                     guest RAM, direct map (only under protect=none, and while open under mmap)
//   ram_base          = attic_base + attic_size
//                     THE ATTIC, in slabs with gaps between them; inaccessible while guest user
//                     code runs, as the window is, and opened slab by slab when it is needed
//   attic_base
//                     nothing is used here (guard)
//   window_end
//                     THE WINDOW, inaccessible while guest user code runs (not under none);
//                     its regions are listed below (VMI_WINDOW_REGIONS)
//   window_base       2 MiB aligned
//                     nothing, ever (guard)
//   alt_stack_base    alternate signal stack: reachable by guest user code, believed by nobody
//                     nothing, ever (guard)
//   gate_base         the gate: the only monitor code that guest user code can reach
//                     nothing, ever (guard)
//   trampolines_high  trampolines, read-only and executable: jumped to from patched code
//                     nothing, ever (guard)
//   user_end          -----------------------------------------------------------------
//                     guest user memory, all of it
//   user_begin        -----------------------------------------------------------------
//   trampolines_low   others, for code in low memory: a jump reaches 2 GiB
//                     the host refuses mappings below its mmap_min_addr
//
// All from window_base on is one memfd, each byte of it at its distance from window_base. What
// nobody touches has no memory. Only trampolines lie elsewhere in it, where no address needs it: in
// the guard behind the window.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmi/amounts.h"

namespace vmi {

/// Where the host's own user range ends: nothing is mapped beyond.
inline constexpr std::uint64_t host_user_end = 0x7fff'ffff'f000;

/// All that there is room for below user_begin, which is low for programs' sake.
inline constexpr std::uint64_t trampolines_low = 0x10000;
inline constexpr std::uint64_t trampolines_low_bytes = 15 * page_size;
inline constexpr std::uint64_t user_begin = 0x20000;
inline constexpr std::uint64_t user_end = 0x7fff'0000'0000;

inline constexpr std::uint64_t trampolines_high = 0x7fff'0800'0000;
inline constexpr std::uint64_t trampolines_high_bytes = 128 * page_size;

inline constexpr std::uint64_t gate_base = 0x7fff'1000'0000;
inline constexpr std::uint64_t gate_size = 2 * page_size;  // code, then read-only constants

inline constexpr std::uint64_t alt_stack_base = 0x7fff'1010'0000;
inline constexpr std::uint64_t alt_stack_size = 64 * 1024;

inline constexpr std::uint64_t window_base = 0x7fff'2000'0000;
inline constexpr std::uint64_t window_size = 2 * huge_page_size;
inline constexpr std::uint64_t window_end = window_base + window_size;

/// The window's regions, X(name, bytes, what), one behind the other from window_base on. Each has
/// its name_base and name_bytes.
#define VMI_WINDOW_REGIONS(X)                                                         \
  X(shared_info, page_size, "struct SharedInfo, written by monitor and guest kernel") \
  X(boot_info, page_size, "struct BootInfo, written by the launcher")                 \
  X(rings, 13 * page_size, "struct Rings of the devices")                             \
  X(accounts, 3 * page_size, "struct Accounts")                                       \
  X(resident, 60 * page_size, "resident part of the monitor: text, data, bss")        \
  X(kernel, window_size - kernel_offset,                                              \
    "guest kernel: text, data, bss; then its heap: kernel stacks, frame table, inodes, spaces")

enum WindowOffset : std::uint64_t {
#define X(name, bytes, what) name##_offset, name##_last = name##_offset + (bytes)-1,
  VMI_WINDOW_REGIONS(X)
#undef X
      window_regions_end
};
#define X(name, bytes, what) \
  inline constexpr std::uint64_t name##_base = window_base + name##_offset, name##_bytes = bytes;
VMI_WINDOW_REGIONS(X)
#undef X

/// Where user code jumps to, and what of the memfd it finds there.
struct TrampolineArea {
  std::uint64_t base, bytes, offset;
};
inline constexpr std::uint64_t trampolines_offset = window_size + huge_page_size;
inline constexpr TrampolineArea trampoline_areas[] = {
    {trampolines_low, trampolines_low_bytes, trampolines_offset},
    {trampolines_high, trampolines_high_bytes, trampolines_offset + trampolines_low_bytes}};
inline constexpr std::uint64_t trampolines_bytes = trampolines_low_bytes + trampolines_high_bytes;

/// The attic: cold kernel objects, which few entries to the kernel need. A slab is opened and
/// closed as a whole, as the window is. Beside a closed neighbour that costs three times as much
/// (the host merges and splits mappings), hence the gaps.
inline constexpr std::uint64_t attic_base = window_base + 4 * huge_page_size;
inline constexpr std::uint64_t attic_slab_bytes = 2 * huge_page_size;
inline constexpr std::uint64_t attic_slab_stride = 2 * attic_slab_bytes;
inline constexpr std::uint32_t attic_slabs_max = 64;  // BootInfo::attic_slabs says how many
inline constexpr std::uint64_t attic_size = attic_slabs_max * attic_slab_stride;

constexpr std::uint64_t attic_slab(std::uint32_t index) {
  return attic_base + index * attic_slab_stride;
}
/// In a slab, or in the gap behind it: of an address in the attic.
constexpr std::uint32_t attic_slab_of(std::uint64_t address) {
  return static_cast<std::uint32_t>((address - attic_base) / attic_slab_stride);
}
/// In one of the first `slabs` slabs, all of it?
constexpr bool is_in_attic(std::uint64_t address, std::uint64_t bytes, std::uint32_t slabs) {
  return address >= attic_base && address < attic_slab(slabs) &&
         (address - attic_base) % attic_slab_stride < attic_slab_bytes &&
         bytes <= attic_slab_bytes - (address - attic_base) % attic_slab_stride;
}

inline constexpr std::uint64_t ram_base = attic_base + attic_size;
inline constexpr std::uint64_t ram_offset = ram_base - window_base;  // of frame 0, in the memfd
inline constexpr std::uint64_t ram_min = 16ul << 20;
inline constexpr std::uint64_t ram_max = 2ul << 30;

/// Offset of a frame in the guest memory's memfd.
constexpr std::uint64_t frame_offset(Frame frame) {
  return ram_offset + (static_cast<std::uint64_t>(frame) << page_shift);
}

constexpr bool is_user_range(std::uint64_t va, std::uint64_t bytes) {
  return va >= user_begin && va <= user_end && bytes <= user_end - va;
}
constexpr bool is_user_range(std::uint64_t va, Bytes bytes) {
  return is_user_range(va, bytes.number);
}

static_assert(window_base % huge_page_size == 0 && window_size % huge_page_size == 0);
static_assert(window_regions_end == window_size);
#define X(name, bytes, what) static_assert(name##_base % page_size == 0);
VMI_WINDOW_REGIONS(X)
#undef X
static_assert(trampolines_low + trampolines_low_bytes < user_begin && user_end < trampolines_high &&
              trampolines_high + trampolines_high_bytes < gate_base &&
              trampolines_offset + trampolines_bytes <= attic_base - window_base);
static_assert(user_end < gate_base && gate_base + gate_size < alt_stack_base);
static_assert(alt_stack_base + alt_stack_size < window_base);
static_assert(window_end + huge_page_size <= attic_base && ram_base + ram_max < host_user_end);

}  // namespace vmi
