// trap=direct, in the launcher: may a system call's site be patched?
#pragma once

#include <cstdint>
#include <span>

#include "extended-vmm/resident/image.h"

namespace extended {

/// `code` ends with a `syscall` instruction. Is the instruction before it a `mov $imm32, %eax` of
/// five bytes, decoded from wherever it is decoded?
bool is_patchable(std::span<const std::uint8_t> code);

/// Answers what the resident part has asked meanwhile.
void answer(std::span<SiteQuestion> questions);

}  // namespace extended
