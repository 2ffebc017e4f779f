// Calls that are made again with what is left of their time, after an interruption without a
// handler: SIGSTOP and SIGCONT must not make a sleep longer. The program makes restart_syscall
// instead of its own call, which finds here what to go on with.
#pragma once

#include "guest/syscall/args.h"

namespace guest {

/// A call from where its deadline is known. 0: it has none.
using TimedCall = Result<std::int64_t> (*)(const Args& args, std::uint64_t deadline_ns);

/// What an interrupted call returns: it is to be made again, as call(args, deadline_ns).
Errno restart_until(TimedCall call, const Args& args, std::uint64_t deadline_ns);
/// A handler has run since: there is nothing to go on with.
void forget_restart();

}  // namespace guest
