// What one process may do to another, by their ids: root everything, others what belongs to them.
#pragma once

#include "guest/proc/process.h"

namespace guest {

/// Signals: EPERM. SIGCONT may go to everybody of the same session.
Result<> may_signal(const Process& target, int signal);
/// Its priority, its CPUs: EPERM.
Result<> may_schedule(const Process& target);
/// Its limits: EPERM.
Result<> may_limit(const Process& target);

}  // namespace guest
