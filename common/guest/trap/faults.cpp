// Page faults and exceptions of guest user code. Called by handle_upcall, on the current thread's
// kernel stack, with its space current.
#include "guest/base/log.h"
#include "guest/mm/address_space.h"
#include "guest/platform.h"
#include "guest/proc/out_of_memory.h"
#include "guest/proc/process.h"
#include "guest/proc/signal_frame.h"
#include "guest/trap/upcall.h"

namespace guest {

namespace {

struct ExceptionMeaning {
  std::uint32_t vector;
  Signal signal;
  std::int32_t code;
  bool at_instruction;  // si_addr is the instruction's address, else 0
};

// As Linux has it. What is not listed (segment-not-present and the like) is a SIGSEGV.
constexpr ExceptionMeaning meanings[] = {
    {vmi::vector_divide, sig_fpe, abi::fpe_integer_divide, true},
    {vmi::vector_debug, sig_trap, abi::trap_trace, true},
    {vmi::vector_breakpoint, sig_trap, abi::si_kernel, false},
    {vmi::vector_invalid_opcode, sig_ill, abi::ill_illegal_operand, true},
    {vmi::vector_stack_segment, sig_bus, abi::si_kernel, false},
    {vmi::vector_x87, sig_fpe, 0, true},  // the code comes from the vector state
    {vmi::vector_simd, sig_fpe, 0, true},
    {vmi::vector_alignment, sig_bus, abi::bus_alignment, false},
};

/// The machine lost this process's registers, and the mappings, which a vfork may share.
void lose_process() {
  Process& process = current_process();
  log("typetwo guest: process %d killed: a host process died under it\n", process.pid);
  process.space->activate_again();
  force_signal(signal_from_kernel(sig_kill));
}

ExceptionMeaning meaning_of(std::uint32_t vector) {
  for (const auto& meaning : meanings)
    if (meaning.vector == vector) return meaning;
  return {vector, sig_segv, abi::si_kernel, false};
}

}  // namespace

void raise_exception(const vmi::TrapFrame& frame) {
  if (frame.vector == vmi::vector_machine_check) return lose_process();
  current_thread().last_trap.note(frame);
  ExceptionMeaning meaning = meaning_of(frame.vector);
  if (meaning.code == 0)
    meaning.code = abi::float_exception_code(
        frame.vector, {current_thread().vectors_in_memory(), boot_info().xsave_bytes});
  force_signal(
      signal_from_fault(meaning.signal, meaning.code, meaning.at_instruction ? frame.rip : 0));
}

void serve_page_fault(const vmi::TrapFrame& frame) {
  auto served = current_process().space->fault(frame.fault_address, frame.error_code);
  if (served.ok()) return;
  if (served.error() != Errno::nomem) current_thread().last_trap.note(frame);
  switch (served.error()) {
    case Errno::acces:
      return force_signal(signal_from_fault(sig_segv, abi::segv_access, frame.fault_address));
    case Errno::io:
    case Errno::nospc:  // a hole of a shared mapping, on a full disk
    case Errno::rofs:   // or on one that turned out damaged
      return force_signal(signal_from_fault(sig_bus, abi::bus_address, frame.fault_address));
    case Errno::nomem:
      return kill_for_memory();
    default:
      return force_signal(signal_from_fault(sig_segv, abi::segv_not_mapped, frame.fault_address));
  }
}

}  // namespace guest
