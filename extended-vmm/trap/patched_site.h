// What a patched call site and its trampoline are, byte by byte, and what it means to have been
// stopped on the way from one to the gate. Nothing here knows where the bytes come from: sites.cpp
// applies it to the current space, unit tests to bytes of their own.
#pragma once

#include <cstdint>
#include <cstring>

#include "extended-vmm/resident/image.h"
#include "extended-vmm/trap/gate.h"
#include "vmi/trap_frame.h"

namespace extended {

inline constexpr std::uint8_t opcode_jmp = 0xe9, opcode_jmp_short = 0xeb;

/// To a trampoline, from a site or its room.
struct [[gnu::packed]] Jump {
  std::uint8_t opcode = opcode_jmp;
  std::int32_t distance = 0;
};
static_assert(sizeof(Jump) == jump_bytes);

/// From a short site to its room, as long as the `xor` it replaces.
struct [[gnu::packed]] ShortJump {
  std::uint8_t opcode = opcode_jmp_short, distance = 0;
  static ShortJump to_room(std::uint8_t room) {
    return {.distance = static_cast<std::uint8_t>(room + syscall_bytes)};
  }
  friend bool operator==(const ShortJump&, const ShortJump&) = default;
};
static_assert(sizeof(ShortJump) == xor_bytes);
inline constexpr std::uint32_t farthest_room = 127 - syscall_bytes;

/// The site's own instruction, filled up with a NOP.
struct [[gnu::packed]] Load {
  std::uint8_t code[mov_bytes];

  static Load of_mov(std::uint32_t number) {
    Load load{{opcode_mov_eax}};
    std::memcpy(load.code + 1, &number, sizeof number);
    return load;
  }
  static constexpr Load of_xor() { return {{xor_eax[0], xor_eax[1], 0x0f, 0x1f, 0}}; }
  [[nodiscard]] bool is_xor() const { return code[0] == xor_eax[0]; }
  /// Without the NOP.
  [[nodiscard]] std::uint32_t bytes() const { return is_xor() ? xor_bytes : mov_bytes; }
  [[nodiscard]] std::uint32_t number() const {
    std::uint32_t number = 0;
    if (!is_xor()) std::memcpy(&number, code + 1, sizeof number);
    return number;
  }
  friend bool operator==(const Load&, const Load&) = default;
};

struct [[gnu::packed]] Trampoline {
  Load load{};
  std::uint8_t movabs[2] = {0x48, 0xb9};
  std::uint64_t return_address = 0;
  std::uint8_t jmp[6] = {0xff, 0x25, 3, 0, 0, 0};  // through the last word
  std::uint8_t room = 0;                           // of the site
  std::uint8_t padding[2] = {0xcc, 0xcc};          // aligned: the guest's AC is still in force
  std::uint64_t target = gate_direct_entry;

  [[nodiscard]] std::uint64_t call_at() const { return return_address - syscall_bytes; }
  [[nodiscard]] std::uint64_t load_at() const { return call_at() - load.bytes(); }
  /// Of the jump that leads here.
  [[nodiscard]] std::uint64_t jump_at() const {
    return load.is_xor() ? return_address + room : load_at();
  }
};
static_assert(sizeof(Trampoline) == 32);
/// They are numbered through, the low ones first.
inline constexpr std::uint32_t low_trampolines = vmi::trampolines_low_bytes / sizeof(Trampoline),
                               most_trampolines = vmi::trampolines_bytes / sizeof(Trampoline);

/// Those that a jump from a place reaches: all of one area, or none.
struct Places {
  std::uint32_t first, count;
};
Places places_in_reach(std::uint64_t from);

/// False: that one is not used. `index` is below most_trampolines.
using ReadTrampoline = bool (*)(std::uint32_t index, Trampoline& trampoline);

/// What `xor` does to the flags; it leaves AF undefined, which is to say zero.
inline constexpr std::uint64_t flags_of_xor = 0x8c5, flags_of_zero = 0x44,  // OF SF ZF PF CF; ZF PF
    flag_adjust = 0x10;

/// The jump from `from` to a trampoline in reach.
Jump make_jump(std::uint64_t from, std::uint32_t index);
/// A room ends where the code does that it fills up to.
constexpr std::uint64_t end_of_room(std::uint64_t begin) {
  return (begin + jump_bytes + 15) & ~15ull;
}

/// Copies code of the current space. False: there is none.
using ReadCode = bool (*)(void* to, std::uint64_t from, std::uint64_t bytes);

/// Guest code was stopped, perhaps between a patched site and the gate. Then `frame` goes to the
/// `syscall` instruction there, with its number loaded. That is only done where it comes to the
/// same as to go on: the current space has the site, patched for this trampoline, and registers are
/// as the instructions passed so far make them, whoever jumped to where. Otherwise the frame stays.
void undo_jump(ReadTrampoline, ReadCode, vmi::TrapFrame& frame);

/// Does nothing in a page of code, mapped at `va`, look like a jump to a trampoline? By their looks
/// patched sites are found again; so no others are patched than those on such pages, and each adds
/// one such jump.
bool is_free_of_jumps(const std::uint8_t* code, std::uint64_t va);

/// The code of one page, mapped at `va`: patches the trampoline's site there. False: it would look
/// as if there were other jumps than before and this one; the code is spoilt.
bool patch_code(std::uint8_t* code, std::uint64_t va, const Trampoline&, std::uint32_t index);

/// The code of one page as it is, mapped at `va`: makes it what it was before its sites were
/// patched, but for the NOPs of their rooms, which may be others. False: there was nothing to undo.
bool restore_code(ReadTrampoline, std::uint8_t* code, std::uint64_t va);

}  // namespace extended
