// The trap frame: all that an upcall tells the guest kernel, and all that a return to user
// restores. It lies in the window, at the top of the current thread's kernel stack. The guest
// kernel names it with Hypercalls::return_to_user; the monitor fills the same frame at the next
// upcall, and enters the kernel with the stack pointer just below it. It is never a host signal
// frame: later monitors enter with no signal at all.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vmi {

enum class Upcall : std::uint32_t {
  syscall,     // `syscall` in 64-bit code, or a call of the vsyscall page: number in syscall_number
  int80,       // `int 0x80`, `syscall` or `sysenter` with the 32-bit ABI
  page_fault,  // fault_address and error_code as the x86 MMU gives them
  exception,   // any other processor exception; `vector` says which
  interrupt,   // nothing but pending interrupts (SharedInfo::pending)
  own_text,    // the monitor would rewrite code: a TextOffer, see Hypercalls::patch_text
};

/// x86 page-fault error code bits, as in the processor manuals.
inline constexpr std::uint64_t fault_present = 1, fault_write = 2, fault_user = 4, fault_exec = 16;

/// x86 exception vectors the guest kernel tells apart.
enum Vector : std::uint32_t {
  vector_divide = 0,
  vector_debug = 1,
  vector_breakpoint = 3,
  vector_overflow = 4,
  vector_bound = 5,
  vector_invalid_opcode = 6,
  vector_stack_segment = 12,
  vector_general_protection = 13,
  vector_page_fault = 14,
  vector_x87 = 16,
  vector_alignment = 17,
  vector_machine_check = 18,  // the monitor lost the user's registers and all mappings of the
                              // space: switch_space() brings those back
  vector_simd = 19,
};

struct TrapFrame {
  std::uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
  std::uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp;
  std::uint64_t rip, rflags;
  std::uint64_t cs, ss;            // user selectors only: 0x33 or (32-bit code) 0x23, and 0x2b
  std::uint64_t fs_base, gs_base;  // the monitor loads them on return and reads them on entry
  Upcall kind;
  std::uint32_t vector;          // for exception and page_fault
  std::uint64_t syscall_number;  // for syscall, int80
  std::uint64_t fault_address;   // for page_fault; of a TextOffer, va
  std::uint64_t error_code;      // for page_fault and exception; of a TextOffer, id
};

/// What Upcall::own_text carries and Hypercalls::patch_text answers: "I can spare the call at `va`
/// its trap, if its page is text." Ids are never used twice.
struct TextOffer {
  std::uint64_t id;
  std::uint64_t va;

  static TextOffer in(const TrapFrame& frame) { return {frame.error_code, frame.fault_address}; }
  void put_into(TrapFrame& frame) const { frame.error_code = id, frame.fault_address = va; }
};

// The order of the first 18 words is that of the host's sigcontext: one copy moves them.
static_assert(offsetof(TrapFrame, rip) == 16 * 8 && offsetof(TrapFrame, rflags) == 17 * 8);
static_assert(sizeof(TrapFrame) == 26 * 8);

inline constexpr std::uint64_t user_cs = 0x33, user_cs32 = 0x23, user_ss = 0x2b;

/// rflags bits that guest user code may own; a frame with others is corrected on return.
inline constexpr std::uint64_t rflags_user = 0x240dd5;  // CF PF AF ZF SF TF DF OF AC ID
inline constexpr std::uint64_t rflags_fixed = 0x202;    // reserved bit 1, IF
inline constexpr std::uint64_t rflags_trap = 0x100, rflags_direction = 0x400;

}  // namespace vmi
