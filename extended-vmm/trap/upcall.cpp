// From a host signal to an upcall, and back: the C++ half of the trap path, which is told hop by
// hop at the top of gate.S. Runs in the window with
// in_kernel = 1, on the entry stack. What a first frame says is the guest's word: user code could
// have forged it by jumping into the gate. That is harmless as long as it is taken for nothing but
// the guest's registers and its request, which the guest can choose anyway.
#include "extended-vmm/trap/upcall.h"

#include <asm/unistd_64.h>
#include <linux/audit.h>

#include <cstring>

#include "extended-vmm/trap/gate.h"
#include "extended-vmm/trap/sites.h"
#include "extended-vmm/trap/trap_state.h"
#include "monitor/resident/enter_kernel.h"
#include "monitor/resident/segment_bases.h"

extern "C" {
extern const char leaving_begin[], leaving_end[];
[[noreturn]] void finish_leaving(vmi::TrapFrame*, std::uint64_t gate_sequence);
// direct.S
extern const char direct_entry[], direct_entered[];
}

namespace extended {

constinit TrapState trap_state;

namespace {

std::uint64_t address(const char* label) {
  return reinterpret_cast<std::uint64_t>(label);
}

/// The interrupted instruction belongs to the way out: the guest's registers are still in its
/// trap frame, and those of the signal frame are the gate's own.
bool was_leaving(std::uint64_t rip) {
  return (rip >= gate_exit && rip < gate_direct_entry) ||
         (rip >= gate_direct_exit && rip < gate_end) ||
         (rip >= address(leaving_begin) && rip < address(leaving_end));
}

/// It belongs to a direct entry that had not got to in_kernel yet.
bool was_entering(std::uint64_t rip) {
  return (rip >= gate_direct_entry && rip < gate_direct_exit) ||
         (rip >= address(direct_entry) && rip < address(direct_entered));
}

/// Undoes a direct entry: the guest is back at the `syscall` instruction, which will trap. Once
/// they are in the direct block, the registers there are the guest's; others nobody has touched but
/// the stack pointer, which direct_entry keeps in the frame as it was before: `kept_rsp`.
void undo_direct_entry(std::uint64_t rip, std::uint64_t kept_rsp, vmi::TrapFrame& frame) {
  const auto& saved = *reinterpret_cast<const DirectBlock*>(direct_block_base);
  const std::uint64_t saved_at = vmi::gate_base + image().start_info.direct_saved_offset;
  if (rip >= saved_at || rip < gate_direct_entry) {
    frame.rdi = saved.rdi;
    frame.rsi = saved.rsi;
    frame.rdx = saved.rdx;
    frame.rax = saved.rax;
    frame.rcx = saved.return_address;
    frame.r8 = saved.r8;
    frame.r9 = saved.r9;
    frame.r10 = saved.r10;
  }
  const auto stack = reinterpret_cast<std::uint64_t>(&frame);
  if (frame.rsp == stack || frame.rsp == stack - sizeof(std::uint64_t)) frame.rsp = kept_rsp;
  frame.rip = frame.rcx - syscall_bytes;
}

void take_registers(int signal, const SignalContext& context, vmi::TrapFrame& frame) {
  const std::uint64_t kept_rsp = frame.rsp;
  // The first 18 words have one order in both (trap_frame.h).
  auto* to = reinterpret_cast<std::uint64_t*>(&frame);
  auto* from = reinterpret_cast<const std::uint64_t*>(&context);
  for (int i = 0; i < 18; ++i) to[i] = from[i];
  frame.cs = context.cs;
  frame.ss = context.ss;
  frame.fs_base = monitor::read_fs_base();
  frame.gs_base = monitor::read_gs_base();
  if (image().start_info.trap != Trap::direct) return;
  if (was_entering(context.ip)) undo_direct_entry(context.ip, kept_rsp, frame);
  if (signal == SIGPROF || signal == SIGTRAP) leave_trampoline(frame);
}

/// What happened, in the processor's terms. False: only an interrupt.
bool decode(const SignalFrame& signal, vmi::TrapFrame& frame) {
  auto& counters = shared_info().counters;
  switch (signal.info.signo) {
    case SIGSYS:
      // The host has put the number back into rax; a vsyscall's call has been unwound likewise.
      frame.kind =
          signal.info.arch == AUDIT_ARCH_X86_64 ? vmi::Upcall::syscall : vmi::Upcall::int80;
      frame.syscall_number = static_cast<std::uint32_t>(signal.info.syscall);
      return true;
    case SIGPROF:
      note_tick(!was_leaving(signal.context.ip) && !was_entering(signal.context.ip));
      return false;
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGTRAP:
      if (signal.info.code <= 0) return false;  // sent by somebody on the host: not a trap
      frame.vector = static_cast<std::uint32_t>(signal.context.trapno);
      // Also for a call of uretprobe, which no filter keeps from the host: that leaves no number.
      if (signal.info.signo == SIGILL) frame.vector = vmi::vector_invalid_opcode;
      frame.error_code = signal.context.err;
      frame.fault_address = signal.context.cr2;
      frame.kind =
          frame.vector == vmi::vector_page_fault ? vmi::Upcall::page_fault : vmi::Upcall::exception;
      ++(frame.kind == vmi::Upcall::page_fault ? counters.upcalls_page_fault
                                               : counters.upcalls_exception);
      return true;
    default:
      return false;
  }
}

/// A system call that trapped, unless its site is to be patched: then it is yet to be made.
void count_system_call(vmi::TrapFrame& frame) {
  auto& counters = shared_info().counters;
  if (frame.kind == vmi::Upcall::int80) {
    ++counters.upcalls_int80;
  } else if (image().start_info.trap == Trap::direct && offer_site(frame)) {
    ++counters.upcalls_own_text;
  } else {
    ++counters.upcalls_syscall;
    accounts().count_trapped(frame.syscall_number);
  }
}

[[noreturn]] void upcall(vmi::TrapFrame& frame) {
  if (auto* time = time_accounts()) time->charge(vmi::account_of(frame));
  monitor::enter_kernel(&frame, kernel().upcall);
}

[[noreturn]] void upcall_interrupt(vmi::TrapFrame& frame) {
  frame.kind = vmi::Upcall::interrupt;
  ++shared_info().counters.upcalls_interrupt;
  upcall(frame);
}

[[noreturn]] void upcall_debug_trap(vmi::TrapFrame& frame) {
  trap_state.debug_trap_due = false;
  frame.kind = vmi::Upcall::exception;
  frame.vector = vmi::vector_debug;
  ++shared_info().counters.upcalls_exception;
  upcall(frame);
}

/// The first signal of all is start()'s: learn where frames lie, then boot the guest kernel.
[[noreturn]] void boot(SignalFrame* frame) {
  trap_state.first_frame = frame;
  trap_state.first_vectors = frame->context.fpstate;
  monitor::boot_kernel(kernel());
}

void fill_exit_block(const vmi::TrapFrame& frame) {
  auto& out = *reinterpret_cast<ExitBlock*>(exit_block_base);
  out = {frame.r8,
         frame.r9,
         frame.r10,
         frame.r11,
         frame.r12,
         frame.r13,
         frame.r14,
         frame.r15,
         frame.rdi,
         frame.rsi,
         frame.rbp,
         frame.rbx,
         frame.rdx,
         frame.rax,
         frame.rcx,
         frame.rip,
         frame.cs == vmi::user_cs32 ? vmi::user_cs32 : vmi::user_cs,
         (frame.rflags & vmi::rflags_user) | vmi::rflags_fixed,
         frame.rsp,
         vmi::user_ss};
}

void load_segment_bases(const vmi::TrapFrame& frame) {
  // Reading is cheaper than writing, and a process seldom changes them.
  if (frame.fs_base != monitor::read_fs_base()) monitor::write_fs_base(frame.fs_base);
  if (frame.gs_base != monitor::read_gs_base()) monitor::write_gs_base(frame.gs_base);
}

/// A jump is cheaper than IRETQ. It goes to rcx, as after any `syscall` instruction.
bool returns_by_jump(const vmi::TrapFrame& frame) {
  return image().start_info.trap == Trap::direct && frame.rcx == frame.rip &&
         (frame.rflags & vmi::rflags_trap) == 0 && frame.cs == vmi::user_cs;
}

/// User code can read the signal stack and the direct block, and must not find there what belonged
/// to somebody else. (The exit block is its own by now.) The vectors are in place.
void scrub_what_others_left(const vmi::TrapFrame& frame) {
  TrapState& state = trap_state;
  const bool anothers_call = state.direct_frame != nullptr && state.direct_frame != &frame;
  const bool anothers_signal = state.signal_frame_of != nullptr && state.signal_frame_of != &frame;
  if (!anothers_call && !anothers_signal && !state.residue_on_signal_stack) return;
  std::memset(reinterpret_cast<void*>(direct_block_base), 0, sizeof(DirectBlock));
  if (!anothers_signal && !state.residue_on_signal_stack) return;
  const std::uint64_t from = state.residue_on_signal_stack
                                 ? signal_stack_base
                                 : reinterpret_cast<std::uint64_t>(state.first_frame);
  std::memset(reinterpret_cast<void*>(from), 0, signal_stack_base + signal_stack_bytes - from);
  state.signal_frame_of = nullptr;
  state.residue_on_signal_stack = false;
}

void poll_devices() {
  trap_state.tick_seen = false;
  machine().poll();
}

}  // namespace

void arm_signal_stack() {
  // The parameters lie in the window: no user code can change what is armed.
  static const struct {
    std::uint64_t base;
    std::uint32_t flags, reserved;
    std::uint64_t bytes;
  } stack = {signal_stack_base, 1u << 31 /* SS_AUTODISARM */, 0, signal_stack_bytes};
  bool& armed = host_process().signal_stack_armed;
  if (!armed) sure("sigaltstack", counted_host(__NR_sigaltstack, &stack, nullptr));
  armed = true;
}

void note_tick(bool user_mode) {
  trap_state.tick_seen = true;
  auto& shared = shared_info();
  auto& found = user_mode ? shared.ticks_in_user : shared.ticks_in_kernel;
  found.fetch_add(1, std::memory_order_relaxed);
}

/// Called by entry.S for every signal that found in_kernel = 0.
extern "C" [[noreturn]] void enter_from_user(SignalFrame* at) {
  host_process().signal_stack_armed = false;
  if (trap_state.first_frame == nullptr) boot(at);
  auto& shared = shared_info();
  trap_state.direct_frame = nullptr;
  if (auto* time = time_accounts()) account_entry(*time, true, vmi::account_gate);
  vectors_are_in_first_frame();
  // Overtaken on the way in by a tick: only ticks come by themselves. (Or user code jumped to the
  // gate: a needless poll then.)
  if (at != trap_state.first_frame) {
    note_tick(false);
    trap_state.residue_on_signal_stack = true;
  }
  // User code can write the original. (The vectors are not copied: nobody here believes them.)
  const SignalFrame signal = *trap_state.first_frame;
  vmi::TrapFrame& frame = *shared.current_frame;
  trap_state.signal_frame_of = &frame;
  if (!was_leaving(signal.context.ip)) take_registers(signal.info.signo, signal.context, frame);
  if (!decode(signal, frame)) return_to_user(&frame);
  if (signal.info.signo == SIGSYS) count_system_call(frame);
  upcall(frame);
}

extern "C" [[noreturn]] void die_unclosed() {
  die("the host refused to close the window", {});
}

void enter_after_death() {
  vmi::TrapFrame& frame = *shared_info().current_frame;
  trap_state.direct_frame = trap_state.signal_frame_of = nullptr;
  trap_state.residue_on_signal_stack = true;  // of whatever it was at
  load_vectors(nullptr, false);
  frame.kind = vmi::Upcall::exception;
  frame.vector = vmi::vector_machine_check;
  ++shared_info().counters.upcalls_exception;
  upcall(frame);
}

/// A direct entry goes to the guest kernel without any of this code: it is counted on the way out.
static void count_entry() {
  auto& counters = shared_info().counters;
  ++counters.window_openings;
  if (trap_state.direct_frame == nullptr) return;
  ++counters.upcalls_syscall;
  ++counters.upcalls_direct;
}

extern "C" [[noreturn]] void return_to_user(vmi::TrapFrame* frame) {
  auto& shared = shared_info();
  shared.current_frame = frame;
  if (trap_state.tick_seen) [[unlikely]]
    poll_devices();
  if (shared.pending.load(std::memory_order_relaxed) != 0) [[unlikely]]
    upcall_interrupt(*frame);
  if (trap_state.debug_trap_due) [[unlikely]]
    upcall_debug_trap(*frame);
  fill_exit_block(*frame);
  load_segment_bases(*frame);
  count_entry();
  put_vectors_in_place();
  scrub_what_others_left(*frame);
  arm_signal_stack();
  if (image().report.first_user_tsc == 0) image().report.first_user_tsc = __builtin_ia32_rdtsc();
  close_attic();
  finish_leaving(frame, returns_by_jump(*frame) ? gate_direct_exit : gate_exit);
}

}  // namespace extended
