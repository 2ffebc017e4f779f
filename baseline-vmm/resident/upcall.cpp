// Upcalls and the return from them. take_upcall runs once per signal, right after the gate opened
// the window; return_to_user is the guest kernel's hypercall that ends it. Between the two the
// guest kernel runs inside the host's signal handler, asynchronous signals blocked.
#include "baseline-vmm/resident/resident.h"
#include "monitor/resident/enter_kernel.h"
#include "monitor/resident/unmap_host.h"

namespace baseline {

std::uint64_t upcall_stack;

namespace {

/// The host's signals say what happened; the frame says where and how.
void fill_hardware_trap(vmi::TrapFrame& trap) {
  HardwareTrap hardware = frame_hardware_trap();
  trap.kind =
      hardware.vector == vmi::vector_page_fault ? vmi::Upcall::page_fault : vmi::Upcall::exception;
  trap.vector = static_cast<std::uint32_t>(hardware.vector);
  trap.error_code = hardware.error_code;
  trap.fault_address = hardware.fault_address;
}

void fill(vmi::TrapFrame& trap) {
  const Mailbox& mailbox = resident_header.mailbox;
  auto& counters = shared_info().counters;
  frame_to_trap(trap);
  switch (mailbox.mail) {
    case Mail::syscall:
      trap.kind = vmi::Upcall::syscall;
      trap.syscall_number = trap.rax = mailbox.syscall_number;
      ++counters.upcalls_syscall;
      accounts().count_trapped(mailbox.syscall_number);
      break;
    case Mail::int80:
      trap.kind = vmi::Upcall::int80;
      trap.syscall_number = trap.rax = mailbox.syscall_number;
      ++counters.upcalls_int80;
      break;
    case Mail::fault:
      fill_hardware_trap(trap);
      if (trap.kind == vmi::Upcall::page_fault) {
        ++counters.upcalls_page_fault;
      } else {
        ++counters.upcalls_exception;
      }
      break;
    case Mail::interrupt:
    case Mail::boot:
      trap.kind = vmi::Upcall::interrupt;
      ++counters.upcalls_interrupt;
      break;
  }
}

}  // namespace

/// The first thing of the guest-machine process in the window: leaves nothing of the host but gate,
/// alternate stack and window, then asks for the first signal. That signal's frame is where all of
/// guest user code's registers will be loaded from.
extern "C" [[noreturn]] void start() {
  if (!monitor::unmap_host(vmi::window_end))
    panic("baseline: host call munmap failed on the host's own memory");
  upcall_stack = kernel().boot_stack_top;
  if (auto* time = time_accounts()) time->begin();
  vmm_call(VmmCall::started);
  __builtin_trap();
}

extern "C" [[noreturn]] void take_upcall(SignalFrame* frame) {
  ++shared_info().counters.window_openings;
  adopt_frame(frame);
  if (resident_header.mailbox.mail == Mail::boot) {
    if (auto* time = time_accounts()) time->charge(vmi::account_kernel);
    monitor::boot_kernel(kernel());
  }
  vmi::TrapFrame* trap = shared_info().current_frame;
  fill(*trap);
  if (auto* time = time_accounts()) time->charge(vmi::account_of(*trap));
  monitor::enter_kernel(trap, kernel().upcall);
}

/// The VMM process looks at the pending bits once more when the host has left the handler.
void return_to_user(vmi::TrapFrame* frame) {
  if (auto* time = time_accounts()) time->charge(vmi::account_gate);
  trap_to_frame(*frame);
  shared_info().current_frame = frame;
  upcall_stack = reinterpret_cast<std::uint64_t>(frame);
  leave_by(give_frame_back(), resident_header.gate_leave, frame->rflags);
}

}  // namespace baseline
