// trap=direct, in the launcher: may a system call's site be patched?
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "extended-vmm/resident/image.h"

namespace extended {

/// `before` ends with a `syscall` instruction. Are the `bytes` before that one a whole instruction,
/// decoded from wherever it is decoded: `mov $imm32, %eax` (mov_bytes) or `xor %eax, %eax`?
bool loads_number(std::span<const std::uint8_t> before, std::size_t bytes);

/// The first room for a jump in the code behind a `syscall` instruction: NOPs that fill up to the
/// next multiple of 16 bytes, and end there, after an instruction that goes elsewhere. `at` is the
/// address of `after`'s first byte, or how it begins within its page. Result: bytes from there;
/// nothing if there is none that a short jump reaches from before the instruction.
std::optional<std::uint32_t> find_room(std::span<const std::uint8_t> after, std::uint64_t at);

/// Answers what the resident part has asked meanwhile.
void answer(std::span<SiteQuestion> questions);

}  // namespace extended
