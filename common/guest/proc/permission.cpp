// See permission.h. Called by the system calls that name another process, by /proc, and by sockets
// that signal their owner.
#include "guest/proc/permission.h"

#include "guest/proc/signal.h"

namespace guest {
namespace {

/// Is it this user's, by each of its ids?
bool belongs_to(const Process& target, std::uint32_t uid, std::uint32_t gid) {
  const Credentials& its = target.leader->credentials;
  return uid == its.uid && uid == its.euid && uid == its.suid && gid == its.gid &&
         gid == its.egid && gid == its.sgid;
}

}  // namespace

bool SignalSender::may_signal(const Process& target) const {
  const Credentials& its = target.leader->credentials;
  if (euid == 0) return true;
  return euid == its.uid || euid == its.suid || uid == its.uid || uid == its.suid;
}

Result<> may_signal(const Process& target, int signal) {
  const Credentials& own = current_thread().credentials;
  if (&target == &current_process() || SignalSender{own.uid, own.euid}.may_signal(target))
    return {};
  if (signal == sig_cont && target.session == current_process().session) return {};
  return Errno::perm;
}

Result<> may_schedule(const Process& target) {
  const Credentials &own = current_thread().credentials, &other = target.leader->credentials;
  if (own.euid == 0 || own.euid == other.euid || own.euid == other.uid) return {};
  return Errno::perm;
}

Result<> may_look_into(const Process& target) {
  const Credentials& own = current_thread().credentials;
  if (own.euid == 0 || &target == &current_process()) return {};
  return belongs_to(target, own.euid, own.egid) ? Result<>() : Errno::acces;
}

Result<> may_limit(const Process& target) {
  const Credentials& own = current_thread().credentials;
  if (own.euid == 0 || &target == &current_process()) return {};
  return belongs_to(target, own.uid, own.gid) ? Result<>() : Errno::perm;
}

}  // namespace guest
