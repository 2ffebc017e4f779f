// See permission.h. Called by the system calls that name another process.
#include "guest/proc/permission.h"

#include "guest/proc/signal.h"

namespace guest {

Result<> may_signal(const Process& target, int signal) {
  const Credentials &own = current_thread().credentials, &other = target.leader->credentials;
  if (own.euid == 0 || &target == &current_process()) return {};
  for (std::uint32_t uid : {own.euid, own.uid})
    if (uid == other.uid || uid == other.suid) return {};
  if (signal == sig_cont && target.session == current_process().session) return {};
  return Errno::perm;
}

Result<> may_schedule(const Process& target) {
  const Credentials &own = current_thread().credentials, &other = target.leader->credentials;
  if (own.euid == 0 || own.euid == other.euid || own.euid == other.uid) return {};
  return Errno::perm;
}

Result<> may_limit(const Process& target) {
  const Credentials &own = current_thread().credentials, &other = target.leader->credentials;
  if (own.euid == 0 || &target == &current_process()) return {};
  const bool same_user = own.uid == other.uid && own.uid == other.euid && own.uid == other.suid;
  const bool same_group = own.gid == other.gid && own.gid == other.egid && own.gid == other.sgid;
  return same_user && same_group ? Result<>() : Errno::perm;
}

}  // namespace guest
