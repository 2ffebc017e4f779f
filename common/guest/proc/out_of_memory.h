// Out of memory: a page fault found no frame, and none could be had from the caches. One process is
// killed, by Linux's rules: which holds most memory, its oom_score_adj counted in; never the first
// process while there is another one. Called by the trap path; /proc shows the score.
#pragma once

#include <cstdint>

#include "guest/proc/process.h"

namespace guest {

/// Kills one process, says so on the console, and gives it time to end. Afterwards the fault may
/// happen again; if it is the current process that was killed, it ends on its way to user mode.
void kill_for_memory();

/// 0 to 1333, as /proc/PID/oom_score has it.
std::uint64_t oom_score(const Process& process);

}  // namespace guest
