// See tracee.h. Each function is one ptrace request, so that the price of a stop is plain to see.
#include "baseline-vmm/tracee.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <ctime>

#include "monitor/machine/accounting.h"
#include "monitor/tool/error.h"

namespace baseline {

namespace {

constexpr int call_stop = SIGTRAP | 0x80;  // PTRACE_O_TRACESYSGOOD

/// A process killed from outside answers ESRCH to everything; the next wait says what happened.
bool check(long result, const char* what) {
  if (result >= 0) return true;
  if (errno != ESRCH) monitor::throw_errno(std::string("cannot trace the guest: ") + what);
  return false;
}

}  // namespace

std::optional<Stop> PtraceTracee::wait() {
  int status = 0;
  rusage usage{};
  pid_t pid = wait4(pid_, &status, __WALL, &usage);
  if (pid < 0) {
    if (errno == EINTR) return {};
    monitor::throw_errno("cannot wait for the guest-machine process");
  }
  if (WIFSTOPPED(status)) {
    int signal = WSTOPSIG(status);
    if (signal == call_stop) return Stop{Stop::Kind::syscall};
    return Stop{Stop::Kind::signal, signal};
  }
  reaped_ = true;
  const monitor::ProcessCost cost = monitor::cost_of(usage);
  total_cpu_seconds_ = cost.cpu_seconds;
  rss_bytes_ = cost.peak_rss_bytes;
  return Stop{Stop::Kind::ended, 0, status};
}

std::optional<Stop> PtraceTracee::attach() {
  std::optional<Stop> stop;
  while (!stop) stop = wait();
  if (stop->kind == Stop::Kind::signal && stop->signal == SIGSTOP) {
    check(ptrace(PTRACE_SETOPTIONS, pid_, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL),
          "options");
    return {};
  }
  return stop;
}

void PtraceTracee::resume(const Resume& resume) {
  auto request = resume.emulate ? PTRACE_SYSEMU : PTRACE_SYSCALL;
  check(ptrace(request, pid_, nullptr, static_cast<long>(resume.signal)), "resume");
}

void PtraceTracee::finish() {
  if (reaped_) return;
  kill(pid_, SIGKILL);
  while (!reaped_) wait();
}

HostCall PtraceTracee::call() {
  __ptrace_syscall_info info{};
  if (!check(ptrace(PTRACE_GET_SYSCALL_INFO, pid_, sizeof info, &info), "call")) return {};
  HostCall call{info.instruction_pointer, info.arch, info.entry.nr, {}};
  for (int i = 0; i < 6; ++i) call.arguments[i] = info.entry.args[i];
  return call;
}

SignalInfo PtraceTracee::signal_info() {
  siginfo_t info{};
  if (!check(ptrace(PTRACE_GETSIGINFO, pid_, nullptr, &info), "signal")) return {};
  if (info.si_signo == SIGSYS) return {info.si_code, 0, info.si_syscall};
  return {info.si_code, reinterpret_cast<std::uint64_t>(info.si_addr), 0};
}

void PtraceTracee::replace_call(std::int64_t number) {
  check(ptrace(PTRACE_POKEUSER, pid_, offsetof(user, regs.orig_rax), number), "no-op");
}

void PtraceTracee::set_ip(std::uint64_t ip) {
  check(ptrace(PTRACE_POKEUSER, pid_, offsetof(user, regs.rip), ip), "fix-up");
}

void PtraceTracee::send_upcall_signal() {
  syscall(SYS_tgkill, pid_, pid_, SIGUSR1);
}

monitor::KernelRegisters PtraceTracee::registers() {
  user_regs_struct r{};
  check(ptrace(PTRACE_GETREGS, pid_, nullptr, &r), "registers");
  return {r.rip, r.rsp, r.rbp, r.rbx, r.r12, r.r13, r.r14, r.r15, r.rax,
          r.rcx, r.rdx, r.rsi, r.rdi, r.r8,  r.r9,  r.r10, r.r11, r.eflags};
}

double PtraceTracee::cpu_seconds() const {
  if (reaped_) return total_cpu_seconds_;
  clockid_t clock{};
  return clock_getcpuclockid(pid_, &clock) == 0 ? monitor::cpu_seconds(clock) : 0;
}

}  // namespace baseline
