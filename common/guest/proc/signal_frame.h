// The seam behind which the guest ABI's signal frames lie: proc/signal_delivery.cpp decides what is
// delivered, these lay it on the user's stack and take it back. Everything taken back is hostile
// until proven otherwise. Implemented once for each ABI: proc/x86_64/signal_frame.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "guest/abi/structs.h"
#include "guest/base/result.h"
#include "vmi/trap_frame.h"

namespace guest::abi {

/// A thread's vector state in XSAVE's standard layout.
struct VectorState {
  unsigned char* area;
  std::uint32_t bytes;
};

/// A thread's last fault or exception that became a signal. Every frame from then on tells of it.
struct LastTrap {
  std::uint64_t number = 0, error_code = 0;
  std::uint64_t fault_address = 0;  // of the last page fault
  void note(const vmi::TrapFrame& frame) {
    number = frame.vector;
    error_code = frame.error_code;
    if (frame.vector == vmi::vector_page_fault) fault_address = frame.fault_address;
  }
};

struct SignalDelivery {
  const SigInfo& info;
  const SignalAction& action;
  std::uint64_t mask;      // blocked signals to come back after the handler
  SignalStack& alternate;  // disarmed if its owner asked for that
  VectorState vectors;
  LastTrap trap{};
};

/// Writes the frame to user memory and points `frame` at the handler. EFAULT: no room on that
/// stack; the frame is then unchanged.
Result<> push_signal_frame(vmi::TrapFrame& frame, const SignalDelivery& delivery);

struct SavedContext {
  std::uint64_t mask;
  SignalStack alternate;
};

/// rt_sigreturn: takes the frame at the user's stack pointer back into `frame` and `vectors`, with
/// all that user code may not own put right. EFAULT: unreadable, or nonsense.
Result<SavedContext> pop_signal_frame(vmi::TrapFrame& frame, VectorState vectors);

/// The si_code of a floating-point exception, as the vector state tells it.
std::int32_t float_exception_code(std::uint32_t vector, VectorState vectors);

}  // namespace guest::abi
