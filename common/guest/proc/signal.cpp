// Sending signals and keeping them pending. Called from system calls, faults, timers and, for
// SIGPIPE, the file system; nothing here blocks.
#include "guest/proc/signal.h"

#include <new>

#include "guest/proc/lifecycle.h"
#include "guest/proc/process.h"

namespace guest {

namespace {

constexpr std::uint32_t most_queued = 64;  // details kept for one process

constexpr SignalSet ignored_by_default =
    signal_bit(sig_chld) | signal_bit(sig_urg) | signal_bit(sig_winch) | signal_bit(sig_cont);
constexpr SignalSet stops =
    signal_bit(sig_stop) | signal_bit(sig_tstp) | signal_bit(sig_ttin) | signal_bit(sig_ttou);

bool ignores(const Process& process, int signal) {
  std::uint64_t handler = process.actions[signal - 1].handler;
  if (handler == abi::handler_ignore) return true;
  return handler == abi::handler_default && (ignored_by_default & signal_bit(signal));
}

void refresh_attention(Thread& thread) {
  const SignalSet deliverable = thread.process.pending.set() & ~thread.blocked_signals;
  thread.attention &= static_cast<std::uint8_t>(~(Thread::signals | Thread::killed));
  if (deliverable) thread.attention |= Thread::signals;
  if (deliverable & signal_bit(sig_kill)) thread.attention |= Thread::killed;
}

void resume(Process& process) {
  if (process.state != Process::State::stopped) return;
  process.state = Process::State::alive;
  process.stop_unreported = false;
  scheduler.wake(*process.thread);
}

// SIGCONT and the stop signals undo each other even where they are blocked.
void settle_job_control(Process& target, int signal) {
  if (signal == sig_cont) {
    target.pending.discard(stops);
    if (target.state == Process::State::stopped) {
      resume(target);
      target.continue_unreported = true;
      tell_parent_of_change(target, continued_status);
    }
  } else if (stops & signal_bit(signal)) {
    target.pending.discard(signal_bit(sig_cont));
  }
}

// Wakes the target's thread if it waits in a way that this signal ends.
void interrupt(Thread& thread, int signal) {
  refresh_attention(thread);
  bool deliverable = signal_bit(signal) & ~thread.blocked_signals;
  bool awaited = signal_bit(signal) & thread.awaited_signals;
  if (signal == sig_kill) {
    resume(thread.process);
    if (thread.interrupt != Thread::Interrupt::never) scheduler.wake(thread);
  } else if (thread.interrupt == Thread::Interrupt::by_any_signal && (deliverable || awaited)) {
    scheduler.wake(thread);
  }
}

}  // namespace

PendingSignals::~PendingSignals() {
  discard(~0ul);
}

bool PendingSignals::holds_timer(int id) {
  for (PendingSignal& entry : queue_)
    if (entry.info.code == abi::si_timer && entry.info.timer.id == id) return true;
  return false;
}

Result<> PendingSignals::add(const abi::SigInfo& info) {
  bool standard = info.number < sig_first_realtime, known = set_ & signal_bit(info.number);
  if (standard && known && info.code != abi::si_timer) return {};
  auto* entry = queued_ < most_queued ? new (std::nothrow) PendingSignal{} : nullptr;
  if (!entry && !standard) return Errno::again;
  set_ |= signal_bit(info.number);
  if (!entry) return {};
  entry->info = info;
  queue_.push_back(*entry);
  ++queued_;
  return {};
}

abi::SigInfo PendingSignals::take(SignalSet wanted) {
  int signal = __builtin_ctzl(set_ & wanted) + 1;
  abi::SigInfo info{};
  info.number = signal;
  bool found = false, more = false;
  for (PendingSignal& entry : queue_) {
    if (entry.info.number != signal) continue;
    if (found) {
      more = true;
      break;
    }
    found = true;
    info = entry.info;
    entry.node.unlink();
    --queued_;
    delete &entry;
  }
  if (!more) set_ &= ~signal_bit(signal);
  return info;
}

void PendingSignals::discard(SignalSet signals) {
  set_ &= ~signals;
  for (PendingSignal& entry : queue_) {
    if (!(signals & signal_bit(entry.info.number))) continue;
    entry.node.unlink();
    --queued_;
    delete &entry;
  }
}

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
  info.sender.uid = current_process().credentials.uid;
  return info;
}

Result<> send_signal(Process& target, const abi::SigInfo& info) {
  int signal = info.number;
  if (target.state == Process::State::zombie || !target.thread) return {};
  settle_job_control(target, signal);
  Thread& thread = *target.thread;
  SignalSet kept = thread.blocked_signals | thread.awaited_signals;
  if (ignores(target, signal) && !(kept & signal_bit(signal))) return {};
  TRY(target.pending.add(info));
  interrupt(thread, signal);
  return {};
}

void send_signal(Process& target, int signal) {
  (void)send_signal(target, signal_from_kernel(signal));  // standard signals cannot fail
}

Result<> send_signal_to_group(int group, const abi::SigInfo& info) {
  bool any = false;
  for (Process& process : processes.all()) {
    if (process.group != group) continue;
    any = true;
    if (info.number != 0) TRY(send_signal(process, info));
  }
  if (!any) return Errno::srch;
  return {};
}

void force_signal(const abi::SigInfo& info) {
  Thread& self = current_thread();
  Process& process = self.process;
  auto& action = process.actions[info.number - 1];
  bool blocked = self.blocked_signals & signal_bit(info.number);
  if (blocked || action.handler == abi::handler_ignore) {
    action = {};
    self.blocked_signals &= ~signal_bit(info.number);
  }
  (void)process.pending.add(info);
  refresh_attention(self);
}

bool signal_pending(const Thread& thread) {
  return thread.attention & Thread::signals;
}

void set_signal_mask(Thread& thread, SignalSet blocked) {
  thread.blocked_signals = blocked & ~unstoppable_signals;
  refresh_attention(thread);
}

void set_temporary_signal_mask(Thread& thread, SignalSet blocked) {
  thread.mask_to_restore = thread.blocked_signals;
  thread.attention |= Thread::saved_mask;
  set_signal_mask(thread, blocked);
}

Result<> set_signal_action(Process& process, int signal, const abi::SignalAction& action) {
  if (signal < 1 || signal > sig_last) return Errno::inval;
  if (unstoppable_signals & signal_bit(signal)) return Errno::inval;
  process.actions[signal - 1] = action;
  process.actions[signal - 1].mask &= ~unstoppable_signals;
  // POSIX: what is now ignored is no longer pending either, blocked or not.
  if (ignores(process, signal)) process.pending.discard(signal_bit(signal));
  refresh_attention(*process.thread);
  return {};
}

Result<> set_signal_stack(abi::SignalStack& stack, const abi::SignalStack& wanted,
                          std::uint64_t stack_pointer) {
  if (on_signal_stack(stack, stack_pointer)) return Errno::perm;
  std::int32_t mode = wanted.flags & ~abi::ss_autodisarm;
  if (mode != 0 && mode != abi::ss_onstack && mode != abi::ss_disable) return Errno::inval;
  if (mode == abi::ss_disable) {
    stack = {0, wanted.flags, 0, 0};
    return {};
  }
  if (wanted.bytes < abi::minimum_signal_stack) return Errno::nomem;
  stack = {wanted.base, wanted.flags, 0, wanted.bytes};
  return {};
}

bool on_signal_stack(const abi::SignalStack& stack, std::uint64_t stack_pointer) {
  if (stack.flags & abi::ss_autodisarm) return false;
  return stack_pointer > stack.base && stack_pointer - stack.base <= stack.bytes;
}

void reset_signal_handlers(Process& process) {
  for (auto& action : process.actions) {
    bool ignored = action.handler == abi::handler_ignore;
    action = {};
    if (ignored) action.handler = abi::handler_ignore;
  }
}

}  // namespace guest
