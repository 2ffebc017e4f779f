// See patched_site.h. Called in kernel mode, on the way from a signal to its upcall, for a tick or
// a single step that found guest code at any instruction of any program: equal addresses say
// nothing, as each space has code of its own and all can reach the trampolines.
#include "extended-vmm/trap/patched_site.h"

#include <cstddef>

namespace extended {
namespace {

constexpr std::uint64_t mappings[] = {vmi::trampolines_high, vmi::trampolines_low};
constexpr std::uint8_t syscall_code[syscall_bytes] = {0x0f, 0x05};

std::uint64_t address(std::uint64_t mapping, std::uint32_t index) {
  return mapping + index * sizeof(Trampoline);
}

/// The trampoline that has a byte at `va`; nullptr: none.
const Trampoline* find(Trampolines all, std::uint64_t va) {
  for (std::uint64_t mapping : mappings) {
    const std::uint64_t index = (va - mapping) / sizeof(Trampoline);
    if (va >= mapping && index < all.count) return all.first + index;
  }
  return nullptr;
}

/// Where the jump at `from` leads; 0: there is no jump.
std::uint64_t target_of_jump(ReadCode read, std::uint64_t from) {
  Jump jump;
  if (!read(&jump, from, sizeof jump) || jump.opcode != opcode_jmp) return 0;
  return from + sizeof jump + static_cast<std::uint64_t>(std::int64_t{jump.distance});
}

/// Does the current space have the site that leads to this trampoline?
bool has_site(Trampolines all, ReadCode read, const Trampoline& trampoline) {
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
  return find(all, target) == &trampoline && target % sizeof(Trampoline) == 0;
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

bool make_jump(std::uint64_t from, std::uint32_t index, bool low, Jump& jump) {
  for (std::uint64_t mapping : mappings) {
    const auto way = static_cast<std::int64_t>(address(mapping, index) - from - sizeof jump);
    jump.distance = static_cast<std::int32_t>(way);
    if (jump.distance == way) return low || mapping != vmi::trampolines_low;
  }
  return false;
}

void undo_jump(Trampolines all, ReadCode read, vmi::TrapFrame& frame) {
  constexpr std::uint64_t flags_of_xor = 0x8c5, flags_of_zero = 0x44;  // OF SF ZF PF CF; ZF PF
  const Trampoline* trampoline = find(all, frame.rip);
  auto where = Progress::at_load;
  if (trampoline != nullptr) {
    where = progress(*trampoline, frame.rip % sizeof(Trampoline), frame.rcx);
  } else {
    // In the room of a short site, perhaps.
    trampoline = find(all, target_of_jump(read, frame.rip));
    if (trampoline == nullptr || !trampoline->load.is_xor() || trampoline->jump_at() != frame.rip)
      return;
  }
  if (where == Progress::elsewhere || !has_site(all, read, *trampoline)) return;
  if (where == Progress::at_load) {
    frame.rax = trampoline->load.number();
    if (trampoline->load.is_xor()) frame.rflags = (frame.rflags & ~flags_of_xor) | flags_of_zero;
  }
  frame.rip = trampoline->call_at();
}

}  // namespace extended
