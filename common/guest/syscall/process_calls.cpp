// System calls that make, replace, end and wait for processes. The work is done in proc/; here the
// ABI's arguments are taken apart.
#include "guest/abi/file_flags.h"
#include "guest/abi/structs.h"
#include "guest/base/clock.h"
#include "guest/fs/events/process_file.h"
#include "guest/mm/user.h"
#include "guest/proc/lifecycle.h"
#include "guest/syscall/handlers.h"
#include "guest/syscall/path_arguments.h"
#include "guest/syscall/time_values.h"

namespace guest {

namespace {

enum WaitOptions : std::uint32_t {
  w_nohang = 1,
  w_stopped = 2,
  w_exited = 4,
  w_continued = 8,
  w_nowait = 0x0100'0000,
  w_nothread = 0x2000'0000,
  w_all = 0x4000'0000,
  w_clone = 0x8000'0000,
};
constexpr std::uint32_t wait4_options =
    w_nohang | w_stopped | w_continued | w_nothread | w_all | w_clone;

abi::ResourceUsage usage_of(const WaitReport& report) {
  return resource_usage(report.cpu, report.peak_memory);
}

void choose_kind(WaitRequest& request, std::uint32_t options) {
  request.usual = (options & w_all) || !(options & w_clone);
  request.unusual = options & (w_all | w_clone);
}

/// The child that a pidfd means. With O_NONBLOCK nobody waits.
Result<> wait_for_pidfd(WaitRequest& request, int fd) {
  const Ref<ProcessFile> of = TRY(file_argument_as<ProcessFile>(fd, Errno::badf));
  if (of->is_gone()) return Errno::child;
  request.who = WaitRequest::Who::pid;
  request.id = of->process->pid;
  request.no_hang = of->flags & abi::o_nonblock;
  return {};
}

Result<std::int64_t> clone_result(const CloneRequest& request) {
  return static_cast<std::int64_t>(TRY(clone_task(request)));
}

}  // namespace

Result<std::int64_t> sys_fork(const Args&) {
  return clone_result({.exit_signal = sig_chld});
}

Result<std::int64_t> sys_vfork(const Args&) {
  return clone_result({.flags = clone_vm | clone_vfork, .exit_signal = sig_chld});
}

Result<std::int64_t> sys_clone(const Args& args) {
  CloneRequest request;
  request.flags = args.u64(0) & 0xffff'ff00;
  request.exit_signal = static_cast<int>(args.u64(0) & clone_exit_signal);
  request.stack = args.u64(1);
  request.parent_tid = args.u64(2);
  request.child_tid = args.u64(3);
  request.tls = args.u64(4);
  return clone_result(request);
}

Result<std::int64_t> sys_clone3(const Args& args) {
  constexpr std::uint64_t largest = 4096;
  std::uint64_t bytes = args.u64(1);
  if (bytes < sizeof(abi::CloneArguments)) return Errno::inval;
  if (bytes > largest) return Errno::toobig;
  auto given = TRY(get_user<abi::CloneArguments>(args.user(0)));
  // Later members (set_tid, cgroup) must be absent or zero, and those that nobody knows, too.
  constexpr std::uint64_t known = 88;
  Errno refused = Errno::ok;
  for (std::uint64_t at = sizeof given; at < bytes; ++at)
    if (TRY(get_user<std::uint8_t>(args.user(0) + at)) != 0)
      refused = at < known ? Errno::inval : Errno::toobig;
  if (refused != Errno::ok) return refused;
  if (given.flags & clone_exit_signal) return Errno::inval;
  if ((given.stack == 0) != (given.stack_size == 0)) return Errno::inval;
  CloneRequest request;
  request.flags = given.flags;
  if (given.exit_signal > sig_last) return Errno::inval;
  request.exit_signal = static_cast<int>(given.exit_signal);
  request.stack = given.stack + given.stack_size;
  request.parent_tid = given.parent_tid;
  request.child_tid = given.child_tid;
  request.tls = given.tls;
  return clone_result(request);
}

Result<std::int64_t> sys_exit(const Args& args) {
  end_thread(exit_status(args.i32(0)));
}

Result<std::int64_t> sys_exit_group(const Args& args) {
  end_process(exit_status(args.i32(0)));
}

Result<std::int64_t> sys_wait4(const Args& args) {
  int pid = args.i32(0);
  std::uint32_t options = args.u32(2);
  if (options & ~wait4_options) return Errno::inval;
  if (pid == INT32_MIN) return Errno::srch;
  WaitRequest request;
  if (pid > 0) request.who = WaitRequest::Who::pid, request.id = pid;
  if (pid == 0) request.who = WaitRequest::Who::group, request.id = current_process().group;
  if (pid < -1) request.who = WaitRequest::Who::group, request.id = -pid;
  choose_kind(request, options);
  request.stopped = options & w_stopped;
  request.continued = options & w_continued;
  request.no_hang = options & w_nohang;
  WaitReport report = TRY(wait_for_child(request));
  if (report.pid == 0) return 0;
  if (args.user(1)) TRY(put_user(args.user(1), report.wait_status));
  if (args.user(3)) TRY(put_user(args.user(3), usage_of(report)));
  return report.pid;
}

Result<std::int64_t> sys_waitid(const Args& args) {
  enum { p_all = 0, p_pid = 1, p_pgid = 2, p_pidfd = 3 };
  std::uint32_t options = args.u32(3);
  constexpr std::uint32_t what = w_exited | w_stopped | w_continued;
  if ((options & ~(what | w_nohang | w_nowait | w_nothread | w_all | w_clone)) || !(options & what))
    return Errno::inval;
  WaitRequest request;
  request.id = args.i32(1);
  if (args.i32(0) == p_pid)
    request.who = WaitRequest::Who::pid;
  else if (args.i32(0) == p_pgid)
    request.who = WaitRequest::Who::group;
  else if (args.i32(0) == p_pidfd)
    TRY(wait_for_pidfd(request, args.i32(1)));
  else if (args.i32(0) != p_all)
    return Errno::inval;
  if (request.id < 0 && request.who != WaitRequest::Who::any) return Errno::inval;
  if (request.who == WaitRequest::Who::group && request.id == 0)
    request.id = current_process().group;
  request.exited = options & w_exited;
  choose_kind(request, options);
  request.stopped = options & w_stopped;
  request.continued = options & w_continued;
  request.no_hang = request.no_hang || (options & w_nohang);
  request.keep = options & w_nowait;
  WaitReport report = TRY(wait_for_child(request));
  if (report.pid == 0 && !(options & w_nohang)) return Errno::again;  // O_NONBLOCK
  if (args.user(2)) {
    abi::SigInfo info{};
    if (report.pid != 0) info = child_signal(report.pid, report.uid, report.wait_status);
    TRY(put_user(args.user(2), info));
  }
  if (args.user(4) && report.pid != 0) TRY(put_user(args.user(4), usage_of(report)));
  return 0;
}

}  // namespace guest
