// The initial stack of a program, as the x86-64 ABI lays it down: argument count, argument and
// environment pointers, auxiliary vector, and above them the strings.
#pragma once

#include <cstdint>

#include "guest/base/result.h"
#include "guest/exec/elf_image.h"
#include "guest/exec/program_strings.h"
#include "guest/proc/credentials.h"

namespace guest {

/// What the loader mapped besides the program: the interpreter's base (0: none), the vDSO (0:
/// none).
struct Companions {
  std::uint64_t interpreter_base = 0, vdso = 0;
};

/// What a program is given: `strings` are its arguments, environment, and how it was named, of
/// which a script's interpreter gets others in place of the first.
struct Given {
  const ProgramStrings& strings;
  std::uint64_t arguments;  // how many of them
  const Vec<String>& in_front;
  [[nodiscard]] bool without_first() const { return !in_front.empty(); }
};

/// Writes it below stack_top into the current space, which has its stack region. Returns the stack
/// pointer. E2BIG: it does not fit in a quarter of the stack.
Result<std::uint64_t> write_initial_stack(const ElfImage& image, const Companions& companions,
                                          const Given& given, const Credentials& who);

}  // namespace guest
