// Program loading, for execve and the first process: builds a fresh address space from an ELF file
// (or the interpreter that a "#!" line names) and the dynamic linker it asks for, lays out the
// stack with arguments, environment and auxiliary vector, and leaves that space current.
#pragma once

#include <cstdint>
#include <string_view>

#include "guest/base/ref.h"
#include "guest/base/result.h"
#include "guest/heap/string.h"
#include "guest/mm/address_space.h"
#include "guest/proc/credentials.h"
#include "guest/vfs/inode.h"

namespace guest {

struct LoadedProgram {
  Ref<AddressSpace> space;
  std::uint64_t entry;
  std::uint64_t stack_pointer;
  String path;  // of the file that runs: a script's interpreter
};

/// EACCES (not an executable regular file), ENOEXEC (not an x86-64 ELF, or damaged), E2BIG,
/// ELOOP (interpreters of interpreters), ELIBBAD (the dynamic linker is none), ENOMEM, and what
/// looking for either interpreter gives. On failure the old space is current again.
/// `exec_path` is how the program was named: argv[1] for an interpreter, and AT_EXECFN. The program
/// is told who it runs as.
Result<LoadedProgram> load_program(Ref<Inode> file, const Vec<String>& argv,
                                   const Vec<String>& envp, std::string_view exec_path,
                                   const Credentials& who);

}  // namespace guest
