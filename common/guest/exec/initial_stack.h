// The initial stack of a program, as the x86-64 ABI lays it down: argument count, argument and
// environment pointers, auxiliary vector, and above them the strings.
#pragma once

#include <cstdint>
#include <string_view>

#include "guest/base/result.h"
#include "guest/exec/elf_image.h"
#include "guest/heap/vec.h"
#include "guest/proc/credentials.h"

namespace guest {

using Strings = Vec<std::string_view>;

/// What the loader mapped besides the program: the interpreter's base (0: none), the vDSO (0:
/// none).
struct Companions {
  std::uint64_t interpreter_base = 0, vdso = 0;
};

/// Writes it below stack_top into the current space, which has its stack region. Returns the stack
/// pointer. E2BIG beyond a quarter of the stack.
Result<std::uint64_t> write_initial_stack(const ElfImage& image, const Companions& companions,
                                          const Strings& argv, const Strings& envp,
                                          std::string_view exec_path, const Credentials& who);

}  // namespace guest
