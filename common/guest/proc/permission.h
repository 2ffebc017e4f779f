// What one process may do to another, by their ids: root everything, others what belongs to them.
#pragma once

#include "guest/proc/process.h"

namespace guest {

/// By whose ids a signal comes: the current process's, or those that it had some time ago.
struct SignalSender {
  std::uint32_t uid = 0, euid = 0;
  [[nodiscard]] bool may_signal(const Process& target) const;
};

/// Signals: EPERM. SIGCONT may go to everybody of the same session.
Result<> may_signal(const Process& target, int signal);
/// Its priority, its CPUs: EPERM.
Result<> may_schedule(const Process& target);
/// Where it is and what it has open: EACCES.
Result<> may_look_into(const Process& target);
/// Its limits: EPERM.
Result<> may_limit(const Process& target);

}  // namespace guest
