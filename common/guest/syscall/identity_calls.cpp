// System calls about who a process is: its numbers, group, session, and user and group ids. Who
// is not root may not become somebody else.
#include "guest/heap/make.h"
#include "guest/mm/user.h"
#include "guest/proc/ids.h"
#include "guest/proc/job_control.h"
#include "guest/proc/process.h"
#include "guest/syscall/handlers.h"

namespace guest {

namespace {

constexpr std::uint32_t unchanged = ~0u;

Credentials& credentials() {
  return current_thread().credentials;
}

/// The three ids of one kind.
struct Ids {
  std::uint32_t &real, &effective, &saved;
  [[nodiscard]] bool have(std::uint32_t id) const {
    return id == real || id == effective || id == saved;
  }
};
Ids user_ids() {
  return {credentials().uid, credentials().euid, credentials().suid};
}
Ids group_ids() {
  return {credentials().gid, credentials().egid, credentials().sgid};
}
bool privileged() {
  return credentials().euid == 0;
}

void assign(std::uint32_t& id, std::uint32_t wanted) {
  if (wanted != unchanged) id = wanted;
}

Result<std::int64_t> set_all(Ids ids, std::uint32_t id) {
  if (id == unchanged) return Errno::inval;
  if (privileged())
    ids.real = ids.effective = ids.saved = id;
  else if (id == ids.real || id == ids.saved)
    ids.effective = id;
  else
    return Errno::perm;
  return 0;
}

Result<std::int64_t> set_two(Ids ids, std::uint32_t real, std::uint32_t effective) {
  bool real_good = real == unchanged || real == ids.real || real == ids.effective;
  if (!privileged() && !(real_good && (effective == unchanged || ids.have(effective))))
    return Errno::perm;
  bool keep = real == unchanged && (effective == unchanged || effective == ids.real);
  assign(ids.real, real);
  assign(ids.effective, effective);
  if (!keep) ids.saved = ids.effective;
  return 0;
}

Result<std::int64_t> set_three(Ids ids, std::uint32_t real, std::uint32_t effective,
                               std::uint32_t saved) {
  for (std::uint32_t id : {real, effective, saved})
    if (!privileged() && id != unchanged && !ids.have(id)) return Errno::perm;
  assign(ids.real, real);
  assign(ids.effective, effective);
  assign(ids.saved, saved);
  return 0;
}

Result<> put_three(const Args& args, std::uint32_t real, std::uint32_t effective,
                   std::uint32_t saved) {
  TRY(put_user(args.user(0), real));
  TRY(put_user(args.user(1), effective));
  return put_user(args.user(2), saved);
}

}  // namespace

Result<std::int64_t> sys_getpid(const Args&) {
  return current_process().pid;
}
Result<std::int64_t> sys_gettid(const Args&) {
  return current_thread().tid;
}
Result<std::int64_t> sys_getppid(const Args&) {
  return current_process().parent_pid();
}
Result<std::int64_t> sys_getpgrp(const Args&) {
  return current_process().group;
}

Result<std::int64_t> sys_getpgid(const Args& args) {
  return TRY(process_or_self(args.i32(0)))->group;
}

Result<std::int64_t> sys_getsid(const Args& args) {
  return TRY(process_or_self(args.i32(0)))->session;
}

Result<std::int64_t> sys_setsid(const Args&) {
  Process& self = current_process();
  if (!ids.find(self.pid)->group.empty()) return Errno::perm;  // it leads a group already
  processes.move_to(self, self.pid, self.pid);
  return self.pid;
}

Result<std::int64_t> sys_setpgid(const Args& args) {
  Process& self = current_process();
  if (args.i32(1) < 0) return Errno::inval;
  Process& target = *TRY(process_or_self(args.i32(0)));
  if (&target != &self && target.parent != &self) return Errno::srch;
  if (target.session != self.session) return Errno::perm;
  if (&target != &self && target.executed) return Errno::acces;
  if (target.session == target.pid) return Errno::perm;
  int group = args.i32(1) ? args.i32(1) : target.pid;
  if (group != target.pid && !session_has_group(self.session, group)) return Errno::perm;
  processes.move_to(target, group, target.session);
  return 0;
}

Result<std::int64_t> sys_getuid(const Args&) {
  return credentials().uid;
}
Result<std::int64_t> sys_geteuid(const Args&) {
  return credentials().euid;
}
Result<std::int64_t> sys_getgid(const Args&) {
  return credentials().gid;
}
Result<std::int64_t> sys_getegid(const Args&) {
  return credentials().egid;
}

Result<std::int64_t> sys_setuid(const Args& args) {
  return set_all(user_ids(), args.u32(0));
}
Result<std::int64_t> sys_setgid(const Args& args) {
  return set_all(group_ids(), args.u32(0));
}
Result<std::int64_t> sys_setreuid(const Args& args) {
  return set_two(user_ids(), args.u32(0), args.u32(1));
}
Result<std::int64_t> sys_setregid(const Args& args) {
  return set_two(group_ids(), args.u32(0), args.u32(1));
}
Result<std::int64_t> sys_setresuid(const Args& args) {
  return set_three(user_ids(), args.u32(0), args.u32(1), args.u32(2));
}
Result<std::int64_t> sys_setresgid(const Args& args) {
  return set_three(group_ids(), args.u32(0), args.u32(1), args.u32(2));
}

Result<std::int64_t> sys_getresuid(const Args& args) {
  TRY(put_three(args, credentials().uid, credentials().euid, credentials().suid));
  return 0;
}

Result<std::int64_t> sys_getresgid(const Args& args) {
  TRY(put_three(args, credentials().gid, credentials().egid, credentials().sgid));
  return 0;
}

Result<std::int64_t> sys_getgroups(const Args& args) {
  if (args.i32(0) < 0) return Errno::inval;
  const Ref<GroupList>& groups = credentials().groups;
  std::size_t count = groups ? groups->ids.size() : 0;
  if (args.i32(0) == 0) return static_cast<std::int64_t>(count);
  if (count > args.u32(0)) return Errno::inval;
  if (count) TRY(copy_to_user(args.user(1), groups->ids.begin(), count * sizeof(std::uint32_t)));
  return static_cast<std::int64_t>(count);
}

Result<std::int64_t> sys_setgroups(const Args& args) {
  constexpr std::uint32_t most_groups = 65536;
  if (args.u32(0) > most_groups) return Errno::inval;
  if (!privileged()) return Errno::perm;
  auto groups = TRY(make_ref<GroupList>());
  for (std::uint32_t i = 0; i < args.u32(0); ++i)
    TRY(groups->ids.push(TRY(get_user<std::uint32_t>(args.user(1) + i * sizeof(std::uint32_t)))));
  credentials().groups = std::move(groups);
  return 0;
}

}  // namespace guest
