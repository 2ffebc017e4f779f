// The trap path: what the monitor's upcall means, and the way back to user mode. Everything in this
// kernel happens between handle_upcall and leave_kernel, on the current thread's kernel stack,
// which both find empty: nothing is carried over from one upcall to the next but the trap frame.
// How an upcall comes here, and where return_to_user goes from here, each monitor tells at the top
// of its own trap path.
#include "guest/trap/upcall.h"

#include "guest/abi/system_call.h"
#include "guest/mm/address_space.h"
#include "guest/mm/text_copy.h"
#include "guest/platform.h"
#include "guest/proc/process.h"
#include "guest/sched/interrupts.h"
#include "guest/syscall/dispatch.h"
#include "guest/syscall/trace.h"

namespace guest {

namespace {

/// The monitor may rewrite code if there is a page of text for it. Nobody has to know why there is
/// none. Whoever needs rewritten code again, once it is forgotten, gets it by another offer.
void take_offer(const vmi::TextOffer& offer) {
  auto frame = AddressSpace::current()->own_text(offer.va);
  if (!frame.ok() || hypercalls().patch_text(offer, frame.value())) return;
  TextCopy::restore_all();
  hypercalls().forget_text();
}

/// From the number to its handler, and from the result to rax.
void dispatch_system_call(vmi::TrapFrame& frame) {
  const std::uint64_t number = frame.syscall_number;
  const Handler handler = find_handler(number);
  if (!handler) [[unlikely]]
    return refuse_unknown(frame);
  ++accounts().calls[number];
  const Args args = arguments_of(frame);
  auto result = tracing() ? call_traced(handler, number, args) : handler(args);
  if (result.ok()) [[likely]] {
    frame.rax = static_cast<std::uint64_t>(result.value());
    return;
  }
  // Whether it is made again or fails is known only when the signal is delivered.
  if (is_restart(result.error())) current_thread().attention |= Thread::restart;
  set_error(frame, result.error());
}

}  // namespace

void handle_upcall(vmi::TrapFrame* frame) {
  switch (frame->kind) {
    case vmi::Upcall::syscall:
      dispatch_system_call(*frame);
      break;
    case vmi::Upcall::int80:
      refuse_foreign_call(*frame);
      break;
    case vmi::Upcall::page_fault:
      serve_page_fault(*frame);
      break;
    case vmi::Upcall::exception:
      raise_exception(*frame);
      break;
    case vmi::Upcall::interrupt:
      break;  // pending bits are looked at on the way out, whatever brought us here
    case vmi::Upcall::own_text:
      take_offer(vmi::TextOffer::in(*frame));
      break;
  }
  leave_kernel();
}

// The way out for the current thread: pending interrupts, the others' turn, signals, user mode.
void leave_kernel() {
  Thread& self = current_thread();
  const auto& pending = shared_info().pending;
  for (;;) {
    if (pending.load(std::memory_order_relaxed) != 0) [[unlikely]]
      take_interrupts();
    if (scheduler.must_yield()) [[unlikely]]
      scheduler.yield();
    if (self.attention != 0) [[unlikely]] {
      deliver_signals(self);
      continue;
    }
    // User code got itself an address that cannot be executed (a signal frame, a handler): the
    // fault is the guest's own, never ours while returning.
    if (self.frame->rip >= vmi::user_end) [[unlikely]] {
      force_signal(signal_from_fault(sig_segv, abi::segv_not_mapped, self.frame->rip));
      continue;
    }
    break;
  }
  self.load_vectors();
  hypercalls().return_to_user(self.frame);
}

}  // namespace guest
