// Sending signals and keeping them pending. Called from system calls, faults, timers and, for
// SIGPIPE, the file system; nothing here blocks.
#include "guest/proc/signal.h"

#include "guest/proc/ids.h"
#include "guest/proc/lifecycle.h"
#include "guest/proc/process.h"

namespace guest {

constinit WaitQueue signals_sent;

namespace {

constexpr SignalSet stops =
    signal_bit(sig_stop) | signal_bit(sig_tstp) | signal_bit(sig_ttin) | signal_bit(sig_ttou);

void discard_pending(Process& process, SignalSet signals) {
  process.pending.discard(signals);
  for (Thread& thread : process.threads) thread.pending.discard(signals);
}

// SIGCONT and the stop signals undo each other even where they are blocked.
void settle_job_control(Process& target, int signal) {
  if (signal == sig_cont) {
    discard_pending(target, stops);
    if (target.state != Process::State::stopped) return;
    continue_process(target);
    target.continue_unreported = true;
    tell_parent_of_change(target, continued_status);
  } else if (signal == sig_kill) {
    continue_process(target);
  } else if (stops & signal_bit(signal)) {
    discard_pending(target, signal_bit(sig_cont));
  }
}

// It is to take one of these: wakes it if it waits in a way that they end.
void interrupt(Thread& thread, SignalSet signals) {
  refresh_attention(thread);
  const SignalSet heard = ~thread.blocked_signals | thread.awaited_signals;
  if (thread.interrupt == Thread::Interrupt::by_any_signal && (signals & heard))
    scheduler.wake(thread);
}

// As Linux chooses: one that does not block it, the leader before others, and one that has nothing
// else to do before one that has.
Thread* taker_of(Process& process, int signal) {
  Thread* found = nullptr;
  for (Thread& thread : process.threads) {
    const SignalSet deaf = thread.blocked_signals & ~thread.awaited_signals;
    if (thread.ended || (deaf & signal_bit(signal))) continue;
    if (!signal_pending(thread)) return &thread;
    if (!found) found = &thread;
  }
  return found;
}

/// `asked`: whose mask says whether an ignored signal is kept.
bool vanishes(const Thread& asked, int signal) {
  const SignalSet kept = asked.blocked_signals | asked.awaited_signals;
  return ignores(asked.process, signal) && !(kept & signal_bit(signal));
}

void tell(Process& process, Thread* taker, int signal) {
  signals_sent.notify();
  if (signal == sig_kill)
    hurry_threads(process);
  else if (taker)
    interrupt(*taker, signal_bit(signal));
}

}  // namespace

abi::SigInfo signal_from_kernel(int signal) {
  abi::SigInfo info{};
  info.number = signal;
  info.code = abi::si_kernel;
  return info;
}

abi::SigInfo signal_from_fault(int signal, int code, std::uint64_t address) {
  abi::SigInfo info{};
  info.number = signal;
  info.code = code;
  info.fault.address = address;
  return info;
}

abi::SigInfo signal_from_process(int signal, int code) {
  abi::SigInfo info{};
  info.number = signal;
  info.code = code;
  info.sender.pid = current_process().pid;
  info.sender.uid = current_thread().credentials.uid;
  return info;
}

Result<> send_signal(Process& target, const abi::SigInfo& info, bool of_timer) {
  if (target.state == Process::State::zombie) return {};
  settle_job_control(target, info.number);
  if (vanishes(*target.leader, info.number)) return {};
  TRY(target.pending.add(info, target.limits[abi::limit_sigpending].current, of_timer));
  tell(target, taker_of(target, info.number), info.number);
  return {};
}

void send_signal(Process& target, int signal) {
  (void)send_signal(target, signal_from_kernel(signal));  // standard signals cannot fail
}

Result<> send_signal(Thread& target, const abi::SigInfo& info, bool of_timer) {
  if (target.ended) return {};
  if (info.number == sig_kill) return send_signal(target.process, info);
  settle_job_control(target.process, info.number);
  if (vanishes(target, info.number)) return {};
  TRY(target.pending.add(info, target.process.limits[abi::limit_sigpending].current, of_timer));
  tell(target.process, &target, info.number);
  return {};
}

Result<> send_signal_to_group(int group, const abi::SigInfo& info) {
  Id* id = ids.find(group);
  if (!id || id->group.empty()) return Errno::srch;
  if (info.number == 0) return {};
  for (Process& process : id->group) TRY(send_signal(process, info));
  return {};
}

void force_signal(const abi::SigInfo& info) {
  Thread& self = current_thread();
  auto& action = self.process.handlers->of(info.number);
  bool blocked = self.blocked_signals & signal_bit(info.number);
  if (blocked || action.handler == abi::handler_ignore) {
    action = {};
    self.blocked_signals &= ~signal_bit(info.number);
  }
  (void)self.pending.add(info);
  refresh_attention(self);
}

SignalSet pending_signals(const Thread& thread) {
  return thread.pending.set() | thread.process.pending.set();
}

abi::SigInfo take_signal(Thread& thread, SignalSet wanted) {
  auto taken = thread.pending.set() & wanted ? thread.pending.take(wanted)
                                             : thread.process.pending.take(wanted);
  if (taken.of_timer) settle_timer_signal(thread.process, taken.info);
  return taken.info;
}

bool signal_pending(const Thread& thread) {
  return thread.attention & Thread::signals;
}

void refresh_attention(Thread& thread) {
  const SignalSet deliverable = pending_signals(thread) & ~thread.blocked_signals;
  const bool killed = thread.must_end() || (deliverable & signal_bit(sig_kill));
  const bool stopped = thread.process.state == Process::State::stopped;
  thread.attention &= static_cast<std::uint8_t>(~(Thread::signals | Thread::killed));
  if (deliverable || killed || stopped) thread.attention |= Thread::signals;
  if (killed) thread.attention |= Thread::killed;
}

void set_signal_mask(Thread& thread, SignalSet blocked) {
  const SignalSet newly = blocked & ~thread.blocked_signals;
  thread.blocked_signals = blocked & ~unstoppable_signals;
  refresh_attention(thread);
  leave_signals_to_others(thread, newly);
}

void set_temporary_signal_mask(Thread& thread, SignalSet blocked) {
  thread.mask_to_restore = thread.blocked_signals;
  thread.attention |= Thread::saved_mask;
  set_signal_mask(thread, blocked);
}

void end_temporary_signal_mask(Thread& thread) {
  if (!(thread.attention & Thread::saved_mask)) return;
  thread.attention &= static_cast<std::uint8_t>(~Thread::saved_mask);
  set_signal_mask(thread, thread.mask_to_restore);
}

void leave_signals_to_others(Thread& thread, SignalSet signals) {
  Process& process = thread.process;
  signals &= process.pending.set();
  if (!signals) return;
  for (Thread& other : process.threads) {
    if (&other == &thread || other.ended) continue;
    const SignalSet deaf = other.blocked_signals & ~other.awaited_signals;
    if (signals & ~deaf) interrupt(other, signals);
    signals &= deaf;
  }
}

}  // namespace guest
