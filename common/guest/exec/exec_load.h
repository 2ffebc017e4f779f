// Program loading, for execve and the first process: builds a fresh address space from an ELF file
// (or the interpreter that a "#!" line names) and the dynamic linker it asks for, lays out the
// stack with arguments, environment and auxiliary vector, and leaves that space current.
#pragma once

#include <cstdint>
#include <string_view>

#include "guest/base/ref.h"
#include "guest/base/result.h"
#include "guest/exec/program_strings.h"
#include "guest/mm/address_space.h"
#include "guest/proc/process.h"

namespace guest {

struct LoadedProgram {
  Ref<AddressSpace> space;
  std::uint64_t entry;
  std::uint64_t stack_pointer;
  Ref<Program> program;     // a script's interpreter
  Credentials credentials;  // which its set-id bits may have changed
};

/// What is asked for.
struct ExecRequest {
  Place file;
  std::string_view path;  // how it was named: a script's argument, and AT_EXECFN
  std::string_view name;  // what the thread is called from then on
  /// Its arguments, its environment, and `path`.
  const ProgramStrings& strings;
  std::uint64_t arguments;  // how many of them
  /// Who runs it shares root and working directory with another process.
  bool shares_places = false;
};

/// EACCES (not an executable regular file), ENOEXEC (not an x86-64 ELF, or damaged), E2BIG,
/// ELOOP (interpreters of interpreters), ELIBBAD (the dynamic linker is none), ETXTBSY (open for
/// writing), ENOMEM, and what looking for either interpreter gives. On failure the old space is
/// current again. `who` runs it; the program is told as whom. Under `limits`; none: Linux's usual.
Result<LoadedProgram> load_program(const ExecRequest& request, const Credentials& who,
                                   const abi::ResourceLimit* limits = nullptr);

/// How much a program of this process may be given: a quarter of its stack, within bounds.
std::uint64_t most_string_bytes(const Process& process);

/// The last part of a path.
std::string_view last_part(std::string_view path);

}  // namespace guest
