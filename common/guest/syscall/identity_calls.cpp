// System calls about who a process is: its numbers, group, session, and user and group ids. All
// users are root here: ids are kept and reported, and nothing depends on them.
#include "guest/mm/user.h"
#include "guest/proc/job_control.h"
#include "guest/proc/process.h"
#include "guest/syscall/handlers.h"

namespace guest {

namespace {

constexpr std::uint32_t unchanged = ~0u;

Credentials& credentials() {
  return current_process().credentials;
}

void assign(std::uint32_t& id, std::uint32_t wanted) {
  if (wanted != unchanged) id = wanted;
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
  for (Process& process : processes.all())
    if (process.group == self.pid) return Errno::perm;  // it leads a group already
  self.session = self.group = self.pid;
  return self.pid;
}

Result<std::int64_t> sys_setpgid(const Args& args) {
  Process& self = current_process();
  if (args.i32(1) < 0) return Errno::inval;
  Process& target = *TRY(process_or_self(args.i32(0)));
  if (&target != &self && target.parent != &self) return Errno::srch;
  if (target.session != self.session || target.session == target.pid) return Errno::perm;
  int group = args.i32(1) ? args.i32(1) : target.pid;
  if (group != target.pid && !session_has_group(self.session, group)) return Errno::perm;
  target.group = group;
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
  std::uint32_t id = args.u32(0);
  if (id == unchanged) return Errno::inval;
  credentials().uid = credentials().euid = credentials().suid = id;
  return 0;
}

Result<std::int64_t> sys_setgid(const Args& args) {
  std::uint32_t id = args.u32(0);
  if (id == unchanged) return Errno::inval;
  credentials().gid = credentials().egid = credentials().sgid = id;
  return 0;
}

Result<std::int64_t> sys_setreuid(const Args& args) {
  assign(credentials().uid, args.u32(0));
  assign(credentials().euid, args.u32(1));
  credentials().suid = credentials().euid;
  return 0;
}

Result<std::int64_t> sys_setregid(const Args& args) {
  assign(credentials().gid, args.u32(0));
  assign(credentials().egid, args.u32(1));
  credentials().sgid = credentials().egid;
  return 0;
}

Result<std::int64_t> sys_setresuid(const Args& args) {
  assign(credentials().uid, args.u32(0));
  assign(credentials().euid, args.u32(1));
  assign(credentials().suid, args.u32(2));
  return 0;
}

Result<std::int64_t> sys_setresgid(const Args& args) {
  assign(credentials().gid, args.u32(0));
  assign(credentials().egid, args.u32(1));
  assign(credentials().sgid, args.u32(2));
  return 0;
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
  return 0;
}

Result<std::int64_t> sys_setgroups(const Args& args) {
  constexpr std::uint32_t most_groups = 65536;
  if (args.u32(0) > most_groups) return Errno::inval;
  return 0;
}

}  // namespace guest
