// See patched_site.h. Called in kernel mode, on the way from a signal to its upcall, for a tick or
// a single step that found guest code at any instruction of any program: equal addresses say
// nothing, as each space has code of its own and all can reach the trampolines.
#include "extended-vmm/trap/patched_site.h"

#include <cstddef>

namespace extended {
namespace {

constexpr std::uint8_t syscall_code[syscall_bytes] = {0x0f, 0x05};

std::uint64_t address(std::uint32_t index) {
  return index < low_trampolines
             ? vmi::trampolines_low + index * sizeof(Trampoline)
             : vmi::trampolines_high + (index - low_trampolines) * sizeof(Trampoline);
}

/// The trampoline that has a byte at `va`; most_trampolines: none.
std::uint32_t index_at(std::uint64_t va) {
  for (const vmi::TrampolineArea& area : vmi::trampoline_areas)
    if (va >= area.base && va - area.base < area.bytes)
      return static_cast<std::uint32_t>((va - area.base + area.offset - vmi::trampolines_offset) /
                                        sizeof(Trampoline));
  return most_trampolines;
}

bool is_in_reach(std::uint64_t from, std::uint64_t to) {
  const auto way = static_cast<std::int64_t>(to - from - sizeof(Jump));
  return way == static_cast<std::int32_t>(way);
}

std::uint64_t target_of(const Jump& jump, std::uint64_t from) {
  return from + sizeof jump + static_cast<std::uint64_t>(std::int64_t{jump.distance});
}

/// The trampoline to whose begin the bytes at `code`, mapped at `from`, would jump;
/// most_trampolines: to none.
std::uint32_t trampoline_of_jump(const std::uint8_t* code, std::uint64_t from) {
  if (*code != opcode_jmp) return most_trampolines;
  Jump jump;
  std::memcpy(&jump, code, sizeof jump);
  const std::uint64_t target = target_of(jump, from);
  return target % sizeof(Trampoline) == 0 ? index_at(target) : most_trampolines;
}

/// In one page of code: whatever bytes look like such a jump, at any place.
std::uint32_t count_jumps(const std::uint8_t* code, std::uint64_t va) {
  std::uint32_t jumps = 0;
  for (std::uint64_t i = 0; i + sizeof(Jump) <= vmi::page_size; ++i)
    jumps += trampoline_of_jump(code + i, va + i) != most_trampolines;
  return jumps;
}

/// Where the jump at `from` leads; 0: there is no jump.
std::uint64_t target_of_jump(ReadCode read, std::uint64_t from) {
  Jump jump;
  if (!read(&jump, from, sizeof jump) || jump.opcode != opcode_jmp) return 0;
  return target_of(jump, from);
}

/// Does the current space have the site that leads to this trampoline?
bool has_site(ReadCode read, const Trampoline& trampoline, std::uint32_t index) {
  std::uint8_t call[syscall_bytes];
  if (!read(call, trampoline.call_at(), sizeof call) ||
      std::memcmp(call, syscall_code, sizeof call) != 0)
    return false;
  if (trampoline.load.is_xor()) {
    ShortJump jump;
    if (!read(&jump, trampoline.load_at(), sizeof jump) ||
        !(jump == ShortJump::to_room(trampoline.room)))
      return false;
  }
  const std::uint64_t target = target_of_jump(read, trampoline.jump_at());
  return index_at(target) == index && target % sizeof(Trampoline) == 0;
}

/// How far code has come that is about to execute byte `at` of its trampoline.
enum class Progress { at_load, behind_load, elsewhere };
Progress progress(const Trampoline& trampoline, std::uint64_t at, std::uint64_t rcx) {
  if (at == 0) return Progress::at_load;
  if (at == trampoline.load.bytes() || at == offsetof(Trampoline, movabs))
    return Progress::behind_load;
  // Who has jumped here may want to return to another place.
  if (at == offsetof(Trampoline, jmp) && rcx == trampoline.return_address)
    return Progress::behind_load;
  return Progress::elsewhere;
}

}  // namespace

Places places_in_reach(std::uint64_t from) {
  for (const vmi::TrampolineArea& area : vmi::trampoline_areas)
    if (is_in_reach(from, area.base) && is_in_reach(from, area.base + area.bytes))
      return {index_at(area.base), static_cast<std::uint32_t>(area.bytes / sizeof(Trampoline))};
  return {};
}

Jump make_jump(std::uint64_t from, std::uint32_t index) {
  return {.distance = static_cast<std::int32_t>(address(index) - from - sizeof(Jump))};
}

void undo_jump(ReadTrampoline read_trampoline, ReadCode read, vmi::TrapFrame& frame) {
  std::uint32_t index = index_at(frame.rip);
  const bool in_room = index == most_trampolines;  // of a short site, perhaps
  if (in_room) index = index_at(target_of_jump(read, frame.rip));
  Trampoline trampoline;
  if (index == most_trampolines || !read_trampoline(index, trampoline)) return;
  if (in_room && (!trampoline.load.is_xor() || trampoline.jump_at() != frame.rip)) return;
  const auto where =
      in_room ? Progress::at_load : progress(trampoline, frame.rip % sizeof trampoline, frame.rcx);
  if (where == Progress::elsewhere || !has_site(read, trampoline, index)) return;
  if (where == Progress::at_load) {
    frame.rax = trampoline.load.number();
    if (trampoline.load.is_xor()) frame.rflags = (frame.rflags & ~flags_of_xor) | flags_of_zero;
  }
  frame.rip = trampoline.call_at();
}

bool is_free_of_jumps(const std::uint8_t* code, std::uint64_t va) {
  return count_jumps(code, va) == 0;
}

bool patch_code(std::uint8_t* code, std::uint64_t va, const Trampoline& trampoline,
                std::uint32_t index) {
  const std::uint32_t jumps = count_jumps(code, va);
  const Jump jump = make_jump(trampoline.jump_at(), index);
  std::uint8_t* const at = code + (trampoline.jump_at() - va);
  std::memcpy(at, &jump, sizeof jump);
  if (trampoline.load.is_xor()) {
    // The room's last NOP was cut by the jump. What is left of it becomes NOPs of its own, so that
    // the jump can be undone by a NOP, and be followed by another site's.
    const std::uint64_t end = end_of_room(trampoline.jump_at());
    std::memset(at + sizeof jump, 0x90, end - trampoline.jump_at() - sizeof jump);
    const ShortJump to_room = ShortJump::to_room(trampoline.room);
    std::memcpy(code + (trampoline.load_at() - va), &to_room, sizeof to_room);
  }
  return count_jumps(code, va) == jumps + 1;
}

// What looks like a jump was put there (is_free_of_jumps). Its trampoline alone would not say so:
// that may be of another program's site, with other code at the same address.
bool restore_code(ReadTrampoline read_trampoline, std::uint8_t* code, std::uint64_t va) {
  constexpr std::uint8_t nop[jump_bytes] = {0x0f, 0x1f, 0x44, 0, 0};
  bool restored = false;
  for (std::uint64_t i = 0; i + sizeof(Jump) <= vmi::page_size; ++i) {
    const std::uint32_t index = trampoline_of_jump(code + i, va + i);
    Trampoline trampoline;
    if (index == most_trampolines || !read_trampoline(index, trampoline) ||
        trampoline.jump_at() != va + i)
      continue;
    std::uint8_t* load = code + (trampoline.load_at() - va);
    if (trampoline.load.is_xor()) {
      const ShortJump to_room = ShortJump::to_room(trampoline.room);
      if (std::memcmp(load, &to_room, sizeof to_room) != 0) continue;
      std::memcpy(code + i, nop, sizeof nop);
    }
    std::memcpy(load, trampoline.load.code, trampoline.load.bytes());
    restored = true;
  }
  return restored;
}

}  // namespace extended
