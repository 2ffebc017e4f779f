// Is this a program that a guest can run? Asked by RootTree::check_program before anything boots,
// so that a person reads what is wrong with the file and not that an execve failed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace monitor {

/// Why a file of `file_bytes` bytes, whose first bytes are `head`, is not an x86-64 ELF
/// executable, and the remedy; "" when it is one. `head` must cover the program headers if the
/// file has them at all (check_head_bytes is enough).
std::string why_not_elf(std::span<const std::byte> head, std::uint64_t file_bytes);

/// How much of a file why_not_elf and the "#!" test want to see at least.
inline constexpr std::size_t check_head_bytes = 4096;

}  // namespace monitor
