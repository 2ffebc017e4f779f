// See job_control.h.
#include "guest/proc/job_control.h"

#include "guest/proc/ids.h"
#include "guest/proc/process.h"

namespace guest {

bool is_orphaned(int group, int session) {
  Id* id = ids.find(group);
  if (!id) return true;
  for (Process& process : id->group) {
    if (process.state == Process::State::zombie) continue;
    const Process* parent = process.parent;
    if (parent && parent->group != group && parent->session == session) return false;
  }
  return true;
}

void wake_orphaned_group(int group, int session) {
  bool stopped = false;
  if (Id* id = ids.find(group))
    for (Process& process : id->group) stopped |= process.state == Process::State::stopped;
  if (!stopped || !is_orphaned(group, session)) return;
  for (int signal : {sig_hup, sig_cont})
    (void)send_signal_to_group(group, signal_from_kernel(signal));
}

bool session_has_group(int session, int group) {
  Id* id = ids.find(group);
  return id && !id->group.empty() && id->group.front()->session == session;
}

bool would_take(int signal) {
  if (current_thread().blocked_signals & signal_bit(signal)) return false;
  return current_process().handlers->of(signal).handler != abi::handler_ignore;
}

Errno stop_background_group(int signal) {
  Process& self = current_process();
  if (!would_take(signal) || is_orphaned(self.group, self.session)) return Errno::io;
  (void)send_signal_to_group(self.group, signal_from_kernel(signal));
  return Errno::restart;
}

}  // namespace guest
