// Signal frames of Linux on x86-64. From the interrupted stack pointer (or the top of the alternate
// stack) downwards:
//
//   red zone         128 bytes that the interrupted code may be using
//   vector state     64-byte aligned; XSAVE's standard layout, then a magic word
//   Frame            16-byte aligned less 8, as if the handler had just been called:
//                    return address (sa_restorer), ucontext, siginfo
//
// Called on the way to user mode (push) and by rt_sigreturn (pop), with the thread's space current.
#include "guest/proc/signal_frame.h"

#include <cstring>

#include "guest/mm/user.h"
#include "guest/proc/signal.h"
#include "guest/proc/x86_64/vector_state.h"

namespace guest::abi {

namespace {

struct MachineContext {         // struct sigcontext
  std::uint64_t registers[18];  // r8…r15, di, si, bp, bx, dx, ax, cx, sp, ip, flags: TrapFrame's
  std::uint16_t cs, gs, fs, ss;
  std::uint64_t error_code, trap_number, old_mask, fault_address, vectors;
  std::uint64_t reserved[8];
};
struct UserContext {  // struct ucontext
  std::uint64_t flags, link;
  SignalStack stack;
  MachineContext machine;
  std::uint64_t mask;
};
struct Frame {  // struct rt_sigframe
  std::uint64_t return_address;
  UserContext context;
  SigInfo info;
};
static_assert(sizeof(MachineContext) == 256 && offsetof(UserContext, machine) == 40);
static_assert(sizeof(UserContext) == 304 && sizeof(Frame) == 440);

enum ContextFlags : std::uint64_t { has_xstate = 1, has_ss = 2, strict_ss = 4 };
constexpr std::uint64_t red_zone = 128;

std::uint64_t stack_for(const vmi::TrapFrame& frame, const SignalDelivery& delivery) {
  const SignalStack& alternate = delivery.alternate;
  bool wanted = delivery.action.flags & sa_onstack;
  if (wanted && alternate.bytes != 0 && !on_signal_stack(alternate, frame.rsp))
    return alternate.base + alternate.bytes;
  return frame.rsp - red_zone;
}

void save_machine(MachineContext& machine, const vmi::TrapFrame& frame, const LastTrap& trap) {
  std::memcpy(machine.registers, &frame, sizeof machine.registers);
  machine.cs = static_cast<std::uint16_t>(frame.cs);
  machine.ss = static_cast<std::uint16_t>(frame.ss);
  machine.trap_number = trap.number;
  machine.error_code = trap.error_code;
  machine.fault_address = trap.fault_address;
}

SignalStack described(const SignalStack& stack) {
  SignalStack copy = stack;
  if (copy.bytes == 0) copy.flags |= ss_disable;
  return copy;
}

void enter_handler(vmi::TrapFrame& frame, std::uint64_t at, const SignalDelivery& delivery) {
  frame.rip = delivery.action.handler;
  frame.rsp = at;
  frame.rax = 0;  // a handler without prototype may be variadic
  frame.rdi = static_cast<std::uint64_t>(delivery.info.number);
  frame.rsi = at + offsetof(Frame, info);
  frame.rdx = at + offsetof(Frame, context);
  frame.cs = vmi::user_cs;
  frame.ss = vmi::user_ss;
  frame.rflags &= ~(vmi::rflags_trap | vmi::rflags_direction);
}

// All of the guest's registers, and nothing that is not the guest's.
Result<> restore_machine(vmi::TrapFrame& frame, const MachineContext& machine) {
  if (machine.cs != vmi::user_cs && machine.cs != vmi::user_cs32) return Errno::fault;
  std::memcpy(&frame, machine.registers, sizeof machine.registers);
  frame.rflags = (frame.rflags & vmi::rflags_user) | vmi::rflags_fixed;
  frame.cs = machine.cs;
  frame.ss = vmi::user_ss;
  return {};  // rip: leave_kernel looks at it for every return
}

}  // namespace

Result<> push_signal_frame(vmi::TrapFrame& frame, const SignalDelivery& delivery) {
  // Linux insists on a restorer on this architecture too: nothing else could return.
  if (!(delivery.action.flags & sa_restorer)) return Errno::fault;
  std::uint64_t stack = stack_for(frame, delivery);
  bool on_alternate = on_signal_stack(delivery.alternate, stack);
  std::uint64_t vectors = (stack - vector_frame_bytes(delivery.vectors)) & ~63ul;
  std::uint64_t at = ((vectors - sizeof(Frame)) & ~15ul) - 8;
  if (on_alternate && !on_signal_stack(delivery.alternate, at)) return Errno::fault;

  Frame image{};
  image.return_address = delivery.action.restorer;
  image.context.flags = has_xstate | has_ss | strict_ss;
  image.context.stack = described(delivery.alternate);
  image.context.mask = delivery.mask;
  image.info = delivery.info;
  save_machine(image.context.machine, frame, delivery.trap);
  image.context.machine.old_mask = delivery.mask;
  image.context.machine.vectors = vectors;
  TRY(put_vector_frame(UserAddress{vectors}, delivery.vectors));
  TRY(put_user(UserAddress{at}, image));
  if (delivery.alternate.flags & ss_autodisarm) delivery.alternate = {0, ss_disable, 0, 0};
  enter_handler(frame, at, delivery);
  return {};
}

Result<SavedContext> pop_signal_frame(vmi::TrapFrame& frame, VectorState vectors) {
  // The handler's `ret` has taken the return address off.
  UserAddress at{frame.rsp - sizeof(std::uint64_t) + offsetof(Frame, context)};
  auto context = TRY(get_user<UserContext>(at));
  TRY(get_vector_frame(UserAddress{context.machine.vectors}, vectors));
  TRY(restore_machine(frame, context.machine));
  return SavedContext{context.mask, context.stack};
}

}  // namespace guest::abi
