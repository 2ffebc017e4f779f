// What a process does about signals: handlers, and the stack they run on. Called by rt_sigaction,
// sigaltstack, rt_sigreturn and execve.
#include "guest/proc/process.h"
#include "guest/proc/signal.h"

namespace guest {

namespace {

constexpr SignalSet ignored_by_default =
    signal_bit(sig_chld) | signal_bit(sig_urg) | signal_bit(sig_winch) | signal_bit(sig_cont);

}  // namespace

bool ignores(const Process& process, int signal) {
  const std::uint64_t handler = process.handlers->of(signal).handler;
  if (handler == abi::handler_ignore) return true;
  return handler == abi::handler_default && (ignored_by_default & signal_bit(signal));
}

Result<> set_signal_action(Process& process, int signal, const abi::SignalAction& action) {
  if (signal < 1 || signal > sig_last) return Errno::inval;
  if (unstoppable_signals & signal_bit(signal)) return Errno::inval;
  process.handlers->of(signal) = action;
  process.handlers->of(signal).mask &= ~unstoppable_signals;
  if (!ignores(process, signal)) return {};
  // POSIX: what is now ignored is no longer pending either, blocked or not.
  process.pending.discard(signal_bit(signal));
  for (Thread& thread : process.threads) {
    thread.pending.discard(signal_bit(signal));
    refresh_attention(thread);
  }
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

void reset_signal_handlers(SignalHandlers& handlers) {
  for (auto& action : handlers.actions) {
    bool ignored = action.handler == abi::handler_ignore;
    action = {};
    if (ignored) action.handler = abi::handler_ignore;
  }
}

}  // namespace guest
