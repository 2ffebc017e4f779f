// System calls about signals. The rules are in proc/signal.cpp, the frames behind abi/.
#include "guest/base/clock.h"
#include "guest/mm/user.h"
#include "guest/platform.h"
#include "guest/proc/permission.h"
#include "guest/proc/signal_frame.h"
#include "guest/syscall/handlers.h"
#include "guest/syscall/restart.h"
#include "guest/syscall/time_values.h"

namespace guest {

namespace {

constexpr std::uint64_t signal_set_bytes = sizeof(SignalSet);

Result<> check_signal(int signal) {
  if (signal < 0 || signal > sig_last) return Errno::inval;
  return {};
}

Process& process_of(Process& process) {
  return process;
}
Process& process_of(Thread& thread) {
  return thread.process;
}

template <class Target>
Result<> send(Target& target, const abi::SigInfo& info) {
  TRY(check_signal(info.number));
  TRY(may_signal(process_of(target), info.number));
  if (info.number == 0) return {};  // only whether it exists
  return send_signal(target, info);
}

Result<> send_to_group(int group, const abi::SigInfo& info) {
  TRY(send_signal_to_group(group, {}));  // only whether it exists
  TRY(check_signal(info.number));
  bool any = false;
  for (Process& process : processes.all())
    if (process.group == group && send(process, info).ok()) any = true;
  return any ? Result<>() : Errno::perm;
}

// kill(-1): all but init and the sender.
Result<> send_to_all(const abi::SigInfo& info) {
  bool any = false;
  for (Process& process : processes.all()) {
    if (&process == &processes.init() || &process == &current_process()) continue;
    any = true;
    auto sent = send(process, info);
    if (!sent.ok() && sent.error() != Errno::perm) return sent;
  }
  if (!any) return Errno::srch;
  return {};
}

/// `pid`: of which process it must be one, 0 for any.
Result<std::int64_t> send_to_thread(int pid, int tid, int signal) {
  if (tid <= 0) return Errno::inval;
  Thread* target = processes.find_thread(tid);
  if (!target || (pid != 0 && target->process.pid != pid)) return Errno::srch;
  TRY(send(*target, signal_from_process(signal, abi::si_tkill)));
  return 0;
}

// Until a handler has run.
Result<std::int64_t> sleep_for_signal() {
  while (scheduler.block().ok()) {
  }
  return Errno::restart_unless_handled;
}

}  // namespace

Result<std::int64_t> sys_rt_sigaction(const Args& args) {
  int signal = args.i32(0);
  if (args.u64(3) != signal_set_bytes || signal < 1 || signal > sig_last) return Errno::inval;
  Process& self = current_process();
  abi::SignalAction old = self.handlers->of(signal);
  if (args.user(1))
    TRY(set_signal_action(self, signal, TRY(get_user<abi::SignalAction>(args.user(1)))));
  if (args.user(2)) TRY(put_user(args.user(2), old));
  return 0;
}

Result<std::int64_t> sys_rt_sigprocmask(const Args& args) {
  enum { sig_block = 0, sig_unblock = 1, sig_setmask = 2 };
  if (args.u64(3) != signal_set_bytes) return Errno::inval;
  Thread& self = current_thread();
  SignalSet old = self.blocked_signals;
  if (args.user(1)) {
    auto set = TRY(get_user<SignalSet>(args.user(1)));
    int how = args.i32(0);
    if (how == sig_block)
      set_signal_mask(self, old | set);
    else if (how == sig_unblock)
      set_signal_mask(self, old & ~set);
    else if (how == sig_setmask)
      set_signal_mask(self, set);
    else
      return Errno::inval;
  }
  if (args.user(2)) TRY(put_user(args.user(2), old));
  return 0;
}

Result<std::int64_t> sys_rt_sigreturn(const Args&) {
  Thread& self = current_thread();
  forget_restart();
  abi::VectorState vectors{self.vectors_in_memory(), boot_info().xsave_bytes};
  auto saved = abi::pop_signal_frame(*self.frame, vectors);
  self.vectors_changed();
  if (!saved.ok()) {
    force_signal(signal_from_kernel(sig_segv));
    return 0;
  }
  set_signal_mask(self, saved.value().mask);
  (void)set_signal_stack(self.alternate_stack, saved.value().alternate, self.frame->rsp);
  return static_cast<std::int64_t>(self.frame->rax);  // dispatch puts it back where it was
}

Result<std::int64_t> sys_rt_sigpending(const Args& args) {
  if (args.u64(1) > signal_set_bytes) return Errno::inval;
  Thread& self = current_thread();
  SignalSet set = pending_signals(self) & self.blocked_signals;
  TRY(copy_to_user(args.user(0), &set, args.u64(1)));
  return 0;
}

Result<std::int64_t> sys_rt_sigsuspend(const Args& args) {
  if (args.u64(1) != signal_set_bytes) return Errno::inval;
  auto mask = TRY(get_user<SignalSet>(args.user(0)));
  set_temporary_signal_mask(current_thread(), mask);
  return sleep_for_signal();
}

Result<std::int64_t> sys_pause(const Args&) {
  return sleep_for_signal();
}

Result<std::int64_t> sys_rt_sigtimedwait(const Args& args) {
  if (args.u64(3) != signal_set_bytes) return Errno::inval;
  auto wanted = TRY(get_user<SignalSet>(args.user(0))) & ~unstoppable_signals;
  std::uint64_t deadline = 0;
  if (args.user(2))
    deadline = monotonic_ns() + TRY(to_ns(TRY(get_user<abi::Timespec>(args.user(2)))));
  Thread& self = current_thread();
  self.awaited_signals = wanted;
  Errno slept = Errno::ok;
  while (!(pending_signals(self) & wanted) && slept == Errno::ok)
    slept = scheduler.block(deadline).error();
  self.awaited_signals = 0;
  if (!(pending_signals(self) & wanted))
    return slept == Errno::timedout ? Errno::again : Errno::intr;
  abi::SigInfo info = take_signal(self, wanted);
  set_signal_mask(self, self.blocked_signals);  // what is pending has changed
  if (args.user(1)) TRY(put_user(args.user(1), info));
  return info.number;
}

Result<std::int64_t> sys_rt_sigqueueinfo(const Args& args) {
  int pid = args.i32(0), signal = args.i32(1);
  auto info = TRY(get_user<abi::SigInfo>(args.user(2)));
  info.number = signal;
  // Only to itself may a process pretend that the kernel or kill() sent the signal.
  if ((info.code >= 0 || info.code == abi::si_tkill) && pid != current_process().pid)
    return Errno::perm;
  Process* target = processes.find(pid);
  if (!target) return Errno::srch;
  TRY(send(*target, info));
  return 0;
}

Result<std::int64_t> sys_rt_tgsigqueueinfo(const Args& args) {
  const int pid = args.i32(0), tid = args.i32(1);
  auto info = TRY(get_user<abi::SigInfo>(args.user(3)));
  info.number = args.i32(2);
  if (pid <= 0 || tid <= 0) return Errno::inval;
  if ((info.code >= 0 || info.code == abi::si_tkill) && tid != current_thread().tid)
    return Errno::perm;
  Thread* target = processes.find_thread(tid);
  if (!target || target->process.pid != pid) return Errno::srch;
  TRY(send(*target, info));
  return 0;
}

Result<std::int64_t> sys_sigaltstack(const Args& args) {
  Thread& self = current_thread();
  abi::SignalStack old = self.alternate_stack;
  old.flags &= abi::ss_autodisarm;
  if (old.bytes == 0)
    old.flags |= abi::ss_disable;
  else if (on_signal_stack(self.alternate_stack, self.frame->rsp))
    old.flags |= abi::ss_onstack;
  if (args.user(0)) {
    auto wanted = TRY(get_user<abi::SignalStack>(args.user(0)));
    TRY(set_signal_stack(self.alternate_stack, wanted, self.frame->rsp));
  }
  if (args.user(1)) TRY(put_user(args.user(1), old));
  return 0;
}

Result<std::int64_t> sys_kill(const Args& args) {
  int pid = args.i32(0), signal = args.i32(1);
  abi::SigInfo info = signal_from_process(signal, abi::si_user);
  if (pid > 0) {
    Process* target = processes.find(pid);
    if (!target) return Errno::srch;
    TRY(send(*target, info));
  } else if (pid == -1) {
    TRY(send_to_all(info));
  } else {
    if (pid == INT32_MIN) return Errno::srch;
    TRY(send_to_group(pid == 0 ? current_process().group : -pid, info));
  }
  return 0;
}

Result<std::int64_t> sys_tkill(const Args& args) {
  return send_to_thread(0, args.i32(0), args.i32(1));
}

Result<std::int64_t> sys_tgkill(const Args& args) {
  if (args.i32(0) <= 0) return Errno::inval;
  return send_to_thread(args.i32(0), args.i32(1), args.i32(2));
}

}  // namespace guest
