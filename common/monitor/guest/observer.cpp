// Observing host calls with ptrace; see observer.h.
#include "monitor/guest/observer.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>

#include "monitor/machine/clock.h"
#include "monitor/tool/error.h"

namespace monitor {

namespace {

constexpr long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE |
                         PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;
constexpr int syscall_stop = SIGTRAP | 0x80;
constexpr int seccomp_trap = 1;  // SYS_SECCOMP of <asm-generic/siginfo.h>

/// A process killed meanwhile is gone from ptrace's view: its end comes as the next status.
void resume(pid_t pid, int signal, bool listen = false) {
  ptrace(listen ? PTRACE_LISTEN : PTRACE_SYSCALL, pid, nullptr,
         reinterpret_cast<void*>(static_cast<long>(signal)));
}

bool stops_a_group(int signal) {
  return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/// SIGCHLD blocked, so that sigtimedwait can wait for it with a limit, until the end of a scope.
class ChildSignalBlocked {
 public:
  ChildSignalBlocked() {
    sigemptyset(&child_);
    sigaddset(&child_, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child_, &before_);
  }
  ~ChildSignalBlocked() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  ChildSignalBlocked(const ChildSignalBlocked&) = delete;
  ChildSignalBlocked& operator=(const ChildSignalBlocked&) = delete;

  /// Until a child's state changes; 0.1 s at most: a clone may end without a SIGCHLD.
  void wait() const {
    timespec limit{0, 100'000'000};
    sigtimedwait(&child_, nullptr, &limit);
  }

 private:
  sigset_t child_, before_;
};

}  // namespace

Observer::Observer(InKernel in_kernel, Rules rules)
    : in_kernel_(std::move(in_kernel)), rules_(std::move(rules)) {}

void Observer::wait_for_observer() {
  raise(SIGSTOP);
}

void Observer::attach(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, WUNTRACED | __WALL) < 0) {
    if (errno != EINTR) throw_errno("cannot wait for the process to be observed");
  }
  if (!WIFSTOPPED(status)) {
    throw HostError("the process to be observed ended before it could be; see its own message");
  }
  if (ptrace(PTRACE_SEIZE, child, nullptr, options) != 0) {
    throw_errno("cannot observe the guest-machine process (PTRACE_SEIZE)",
                "allow ptrace: see `typetwo doctor`");
  }
  kill(child, SIGCONT);
}

bool Observer::step(pid_t pid, int status) {
  if (!WIFSTOPPED(status)) {
    settle(pid, false);
    return false;
  }
  int signal = WSTOPSIG(status);
  int event = status >> 16;
  if (event == PTRACE_EVENT_STOP) {
    resume(pid, 0, stops_a_group(signal));
  } else if (event != 0) {
    resume(pid, 0);
  } else if (signal == syscall_stop) {
    entered_call(pid);
    resume(pid, 0);
  } else {
    settle(pid, signal == SIGSYS && is_trap_of(pid));
    resume(pid, signal);
  }
  return true;
}

std::optional<ProcessEnd> Observer::watch(pid_t child, std::optional<double> timeout_seconds,
                                          const std::function<void()>& meanwhile) {
  const double deadline = monotonic_seconds() + timeout_seconds.value_or(0);
  ChildSignalBlocked signals;
  for (;;) {
    int status = 0;
    rusage usage{};
    pid_t pid = wait4(-1, &status, __WALL | WNOHANG, &usage);
    if (pid > 0) {
      if (!step(pid, status) && pid == child) return ProcessEnd{status, usage};
    } else if (pid < 0 && errno != EINTR) {
      throw_errno("cannot wait for the observed process");
    } else {
      signals.wait();
    }
    meanwhile();
    if (timeout_seconds && monotonic_seconds() > deadline) return std::nullopt;
  }
}

void Observer::entered_call(pid_t pid) {
  __ptrace_syscall_info info{};
  if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0) return;
  // The exit of a call says nothing yet: a trapped one has its exit too, and then SIGSYS.
  if (info.op != PTRACE_SYSCALL_INFO_ENTRY) return;
  settle(pid, false);
  ObservedCall call{};
  call.ip = info.instruction_pointer;
  call.arch = info.arch;
  call.number = info.entry.nr;
  std::copy(std::begin(info.entry.args), std::end(info.entry.args), call.arguments);
  call.in_kernel = in_kernel_(pid);
  // Judged now, not when it is settled: what the rules look at may have moved on by then.
  call.allowed = rules_(call);
  open_[pid] = call;
}

bool Observer::is_trap_of(pid_t pid) const {
  auto open = open_.find(pid);
  siginfo_t info{};
  if (open == open_.end() || ptrace(PTRACE_GETSIGINFO, pid, nullptr, &info) != 0) return false;
  return info.si_code == seccomp_trap &&
         reinterpret_cast<std::uint64_t>(info.si_call_addr) == open->second.ip &&
         static_cast<std::uint64_t>(static_cast<std::uint32_t>(info.si_syscall)) ==
             (open->second.number & 0xffff'ffff);
}

void Observer::settle(pid_t pid, bool trapped) {
  auto open = open_.extract(pid);
  if (open.empty()) return;
  if (trapped) {
    ++trapped_;
    return;
  }
  ++calls_.try_emplace(key_of(open.mapped()), open.mapped()).first->second.count;
}

Observer::Key Observer::key_of(const ObservedCall& call) {
  return {call.ip,        call.arch,   call.number, std::to_array(call.arguments),
          call.in_kernel, call.allowed};
}

std::vector<ObservedCall> Observer::report() const {
  auto all = calls_;
  for (const auto& [pid, call] : open_) ++all.try_emplace(key_of(call), call).first->second.count;
  std::vector<ObservedCall> list;
  list.reserve(all.size());
  for (const auto& [key, call] : all) list.push_back(call);
  return list;
}

}  // namespace monitor
