// What execve and the first process's start have in common.
#pragma once

#include <string_view>

#include "guest/exec/exec_load.h"
#include "guest/proc/thread.h"

namespace guest {

/// For /proc: what the process runs from now on.
void note_program(Process& process, LoadedProgram& program);
/// The thread's next return to user mode is the program's first instruction.
void start_program(Thread& thread, const LoadedProgram& program);
/// The name that PR_GET_NAME gives: the last part of a path.
void name_thread(Thread& thread, std::string_view path);

}  // namespace guest
