// What execve and the first process's start have in common.
#pragma once

#include "guest/exec/exec_load.h"
#include "guest/proc/thread.h"

namespace guest {

/// Replaces the current process's program. On failure nothing has changed.
Result<> execute(const ExecRequest& request);
/// The thread's next return to user mode is the program's first instruction.
void start_program(Thread& thread, const LoadedProgram& program);

}  // namespace guest
