// Delivering signals: the current thread, on its way to user mode, acts on what is pending for it.
// Called by leave_kernel whenever Thread::attention is set. All of it runs on the thread's own
// kernel stack with its space current; the threads of a stopped process sleep in here.
#include "guest/abi/system_call.h"
#include "guest/platform.h"
#include "guest/proc/job_control.h"
#include "guest/proc/lifecycle.h"
#include "guest/proc/observers.h"
#include "guest/proc/process.h"
#include "guest/proc/signal.h"
#include "guest/proc/signal_frame.h"

namespace guest {

namespace {

constexpr SignalSet by_faults = signal_bit(sig_segv) | signal_bit(sig_bus) | signal_bit(sig_ill) |
                                signal_bit(sig_trap) | signal_bit(sig_fpe);

enum class Default { terminate, ignore, stop };

Default default_action(int signal) {
  switch (signal) {
    case sig_chld:
    case sig_urg:
    case sig_winch:
    case sig_cont:
      return Default::ignore;
    case sig_stop:
    case sig_tstp:
    case sig_ttin:
    case sig_ttou:
      return Default::stop;
    default:
      return Default::terminate;
  }
}

// SIGKILL before all, then what the thread's own instructions brought about: a handler for another
// signal must not run first and move on from the faulting instruction.
abi::SigInfo take_next(Thread& thread, SignalSet deliverable) {
  for (SignalSet first : {signal_bit(sig_kill), by_faults & thread.pending.set()})
    if (deliverable & first) return take_signal(thread, deliverable & first);
  return take_signal(thread, deliverable);
}

void clear(Thread& thread, Thread::Attention bit) {
  thread.attention &= static_cast<std::uint8_t>(~bit);
}

void settle_call(Thread& thread, const std::uint64_t* handler_flags) {
  if (!(thread.attention & Thread::restart)) return;
  clear(thread, Thread::restart);
  settle_interrupted_call(*thread.frame, handler_flags);
}

void enter_handler(Thread& thread, const abi::SigInfo& info) {
  SignalHandlers& handlers = *thread.process.handlers;
  abi::SignalAction action = handlers.of(info.number);
  settle_call(thread, &action.flags);
  SignalSet after =
      thread.attention & Thread::saved_mask ? thread.mask_to_restore : thread.blocked_signals;
  abi::VectorState vectors{thread.vectors_in_memory(), boot_info().xsave_bytes};
  auto pushed = abi::push_signal_frame(
      *thread.frame, {info, action, after, thread.alternate_stack, vectors, thread.last_trap});
  if (!pushed.ok()) {
    // No room for the frame. If that was SIGSEGV's own, its handler will not get another try.
    if (info.number == sig_segv) handlers.of(sig_segv) = {};
    force_signal(signal_from_kernel(sig_segv));
    return;
  }
  clear(thread, Thread::saved_mask);
  if (action.flags & abi::sa_resethand) handlers.of(info.number).handler = abi::handler_default;
  SignalSet blocked = thread.blocked_signals | action.mask;
  if (!(action.flags & abi::sa_nodefer)) blocked |= signal_bit(info.number);
  set_signal_mask(thread, blocked);
}

void act(Thread& thread, const abi::SigInfo& info) {
  std::uint64_t handler = thread.process.handlers->of(info.number).handler;
  if (handler == abi::handler_ignore) return;
  for (ProcessObserver* observer : process_observers()) observer->signal_taken(info.number);
  if (handler != abi::handler_default) return enter_handler(thread, info);
  switch (default_action(info.number)) {
    case Default::ignore:
      return;
    case Default::stop:
      if (info.number != sig_stop && is_orphaned(thread.process.group, thread.process.session))
        return;  // nobody could continue it
      return stop_process(thread.process, info.number);
    case Default::terminate:
      end_process(info.number);  // as a wait status: ended by this signal
  }
}

}  // namespace

void deliver_signals(Thread& thread) {
  Process& process = thread.process;
  for (;;) {
    if (thread.must_end()) end_thread(process.wait_status);
    if (process.state == Process::State::stopped) {
      // SIGKILL has continued it before anybody is told to end. Whatever woke us: look again.
      (void)process.continued.wait(any_event, 0, Task::Interrupt::by_kill);
      continue;
    }
    const SignalSet deliverable = pending_signals(thread) & ~thread.blocked_signals;
    if (!deliverable) break;
    abi::SigInfo info = take_next(thread, deliverable);
    act(thread, info);
  }
  refresh_attention(thread);
  // No handler has settled these. Another mask may make others deliverable: asked again.
  settle_call(thread, nullptr);
  end_temporary_signal_mask(thread);
}

}  // namespace guest
