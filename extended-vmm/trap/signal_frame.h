// What the host kernel puts on the signal stack: x86-64's struct rt_sigframe, spelled out because
// the kernel's headers and the C library's cannot be included together. The first frame's address
// is the same at every entry from user mode: the stack is always empty then, and the vector
// state's size is a constant of the process.
#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>

namespace extended {

/// struct sigcontext_64.
struct SignalContext {
  std::uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
  std::uint64_t di, si, bp, bx, dx, ax, cx, sp;
  std::uint64_t ip, flags;
  std::uint16_t cs, gs, fs, ss;
  std::uint64_t err, trapno, oldmask, cr2;
  void* fpstate;
  std::uint64_t reserved[8];
};

/// siginfo_t, as far as SIGSYS fills it.
struct SignalInfo {
  std::int32_t signo, error, code, padding;
  std::uint64_t call_address;
  std::int32_t syscall;
  std::uint32_t arch;
  std::uint64_t rest[12];
};

struct SignalFrame {
  std::uint64_t return_address;
  std::uint64_t uc_flags;
  std::uint64_t uc_link;
  std::uint64_t uc_stack[3];
  SignalContext context;
  std::uint64_t uc_sigmask;
  SignalInfo info;
};
static_assert(offsetof(SignalFrame, context) == 48);
static_assert(sizeof(SignalContext) == 256 && offsetof(SignalContext, ip) == 16 * 8);
static_assert(offsetof(SignalFrame, info) == 8 + 304 && sizeof(SignalInfo) == 128);

}  // namespace extended
