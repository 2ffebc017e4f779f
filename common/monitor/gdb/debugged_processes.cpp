// See debugged_processes.h.
#include "monitor/gdb/debugged_processes.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "monitor/machine/clock.h"
#include "monitor/tool/error.h"

namespace monitor {
namespace {

constexpr long options =
    PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;

/// A process killed meanwhile is gone from ptrace's view: its end comes as the next status.
void resume(pid_t pid, int signal) {
  ptrace(PTRACE_CONT, pid, nullptr, static_cast<long>(signal));
}

}  // namespace

void DebuggedProcesses::wait_for_debugger() {
  if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0)
    throw_errno("cannot be traced for gdb", "allow ptrace: see `typetwo doctor`");
  raise(SIGSTOP);
}

std::optional<ProcessEnd> DebuggedProcesses::run(pid_t first, const GuestMemory& memory,
                                                 std::optional<double> timeout_seconds,
                                                 const std::function<void()>& meanwhile) {
  constexpr useconds_t look_period_us = 2000;
  const double deadline = monotonic_seconds() + timeout_seconds.value_or(0);
  for (;;) {
    meanwhile();
    int status = 0;
    rusage usage{};
    const pid_t pid = wait4(-1, &status, __WALL | WNOHANG, &usage);
    if (pid < 0 && errno != EINTR) throw_errno("cannot wait for the debugged process");
    if (pid <= 0) {
      if (timeout_seconds && monotonic_seconds() > deadline) return std::nullopt;
      if (const pid_t running = running_(); known_.contains(running)) stub_.look(running);
      usleep(look_period_us);
    } else if (!WIFSTOPPED(status)) {
      known_.erase(pid);
      if (pid == first) return ProcessEnd{status, usage};
    } else if (known_.empty()) {
      known_.insert(pid);
      ptrace(PTRACE_SETOPTIONS, pid, nullptr, options);
      stub_.begin(pid, memory);
      resume(pid, 0);
    } else {
      const int signal = signal_to_pass(pid, status);
      if (stub_.take_change()) renew_breakpoints(pid);
      resume(pid, signal);
    }
  }
}

int DebuggedProcesses::signal_to_pass(pid_t pid, int status) {
  const int signal = WSTOPSIG(status);
  if (status >> 16 != 0) return 0;  // it has cloned itself
  if (signal == SIGSTOP) {          // the clone's first stop, or one of renew_breakpoints'
    known_.insert(pid);
    stub_.load_breakpoints(pid);
    return 0;
  }
  return stub_.claim(pid, signal) ? 0 : signal;
}

/// Only a stopped process takes them. The others are parked: they stop at once, and park again.
void DebuggedProcesses::renew_breakpoints(pid_t except) {
  for (pid_t pid : known_) {
    if (pid == except) continue;
    syscall(SYS_tgkill, pid, pid, SIGSTOP);
    int status = 0;
    while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR) {
    }
    if (!WIFSTOPPED(status)) continue;  // killed
    const int signal = WSTOPSIG(status);
    stub_.load_breakpoints(pid);
    resume(pid, signal == SIGSTOP || status >> 16 != 0 ? 0 : signal);
  }
}

}  // namespace monitor
