// Signals that arrive in kernel mode: a host tick, an access to a closed slab of the attic or to
// user memory that faulted, or the end of the machine. Called by entry.S on the stack of the
// interrupted kernel code, or on the signal stack if the kernel was entered without a signal;
// returns to it by rt_sigreturn with the frame as it is left here. It is used in place: no guest
// user code can have run since the host wrote it.

#include "extended-vmm/trap/trap_state.h"
#include "extended-vmm/trap/upcall.h"

extern "C" {
extern const char vectors_fault_ip[], vectors_landing[];
}

namespace extended {
namespace {

DeathRegisters registers_of(const SignalContext& c) {
  return {c.ip, c.sp, c.bp, c.bx, c.r12, c.r13, c.r14, c.r15, c.ax,
          c.cx, c.dx, c.si, c.di, c.r8,  c.r9,  c.r10, c.r11, c.flags};
}

/// A page fault in the attic: its slab is closed, and opened now. Before anything else is looked
/// at: code with a landing may be copying to or from there.
bool open_attic_at(const SignalContext& context) {
  if (context.trapno != vmi::vector_page_fault || (context.err & vmi::fault_exec) != 0 ||
      !open_slab_of(context.cr2))
    return false;
  ++shared_info().counters.attic_faults;
  return true;
}

/// A page fault at a place that expects it: resume at its landing.
bool land(SignalContext& context) {
  if (context.ip == reinterpret_cast<std::uint64_t>(vectors_fault_ip)) {
    context.ip = reinterpret_cast<std::uint64_t>(vectors_landing);
    return true;
  }
  auto& shared = shared_info();
  auto& access = shared.user_access;
  // Without trap 14 there is no address: a non-canonical one gives a general protection fault,
  // and the guest kernel has checked the range before.
  if (access.landing == 0 || context.trapno != vmi::vector_page_fault ||
      !vmi::is_user_range(context.cr2, 1))
    return false;
  access.fault_address = context.cr2;
  access.error_code = context.err | vmi::fault_user;
  context.ip = access.landing;
  ++shared.counters.kernel_access_faults;
  return true;
}

const char* describe(int signal) {
  switch (signal) {
    case SIGSEGV:
      return "guest kernel: invalid memory access";
    case SIGBUS:
      return "guest kernel: bus error (guest memory could not be provided by the host)";
    case SIGSYS:
      return "guest kernel: host call that the filter does not allow";
    case SIGILL:
      return "guest kernel: invalid instruction";
    case SIGFPE:
      return "guest kernel: arithmetic exception";
    default:
      return "guest kernel: unexpected host signal";
  }
}

}  // namespace

extern "C" void nested_signal(SignalFrame* frame) {
  trap_state.note_frame(frame);
  switch (frame->info.signo) {
    case SIGPROF:
      note_tick(false);
      return;
    case SIGTRAP:
      frame->context.flags &= ~vmi::rflags_trap;
      trap_state.debug_trap_due = true;
      return;
    case SIGSEGV:
      if (open_attic_at(frame->context)) return;
      [[fallthrough]];
    case SIGBUS:
      if (land(frame->context)) return;
      break;
    default:
      break;
  }
  die(describe(frame->info.signo), registers_of(frame->context));
}

}  // namespace extended
