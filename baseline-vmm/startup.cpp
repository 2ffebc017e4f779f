// See startup.h. Everything here is a property of the process that stays: the addresses named are
// those of the gate and the alternate stack.
#include "baseline-vmm/startup.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstddef>

#include "monitor/tool/error.h"
#include "vmi/address_map.h"

namespace baseline {

namespace {

/// Traps in guest user code. Never blocked: a trap that is blocked when it happens costs the signal
/// its handler, and the VMM process wants to see those of the guest kernel.
constexpr std::array trap_signals = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};

void arm_alternate_stack() {
  // Disarmed while the handler runs, so that a guest user's stack pointer near this stack cannot
  // make the host believe that the handler is running already.
  constexpr int auto_disarm = 1 << 31;
  stack_t stack{};
  stack.ss_sp = reinterpret_cast<void*>(vmi::alt_stack_base);
  stack.ss_size = vmi::alt_stack_size;
  stack.ss_flags = auto_disarm;
  if (sigaltstack(&stack, nullptr) != 0) monitor::throw_errno("cannot set the alternate stack");
}

/// The host's own structure: the C library's would bring its restorer.
void take_in_gate(int signal) {
  struct {
    std::uint64_t handler, flags, restorer, mask;
  } action{};
  constexpr std::uint64_t has_restorer = 0x04000000;  // x86-64 insists; ours is never used
  action.handler = vmi::gate_base;
  action.flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | has_restorer;
  action.mask = ~0ul;
  for (int trap : trap_signals) action.mask &= ~(1ul << (trap - 1));
  if (syscall(SYS_rt_sigaction, signal, &action, nullptr, sizeof action.mask) != 0) {
    monitor::throw_errno("cannot set a signal handler");
  }
}

/// A call of the vsyscall page is served inside the host's page-fault handler: no ptrace stop, the
/// host's own clock for an answer. A seccomp filter is the only thing that sees it. This one has
/// eyes for nothing else: all other host calls are the VMM process's to judge.
void trap_vsyscalls() {
  constexpr std::uint32_t upper_half = 0xffffffff;
  std::array filter = {
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                           offsetof(seccomp_data, instruction_pointer) + 4),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, upper_half, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program{filter.size(), filter.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    monitor::throw_errno("cannot guard the vsyscall page", "boot a host kernel with seccomp");
  }
}

}  // namespace

void prepare_tracee() {
  arm_alternate_stack();
  take_in_gate(SIGUSR1);
  for (int signal : trap_signals) take_in_gate(signal);
  trap_vsyscalls();
  if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) {
    monitor::throw_errno("cannot be traced",
                         "allow ptrace: kernel.yama.ptrace_scope below 3, no debugger on typetwo");
  }
  raise(SIGSTOP);
}

}  // namespace baseline
