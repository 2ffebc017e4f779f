// Waiting for a machine's end, alone or with a witness or a debugger at its side: see watch.h.
#include "extended-vmm/watch.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

#include <algorithm>
#include <iterator>

#include "extended-vmm/allowed_calls.h"
#include "extended-vmm/trap/call_site.h"
#include "monitor/gdb/debugged_processes.h"
#include "monitor/guest/observer.h"
#include "monitor/machine/clock.h"
#include "monitor/tool/error.h"
#include "monitor/tool/terminal.h"

namespace extended {

WakeEvent::WakeEvent(bool wanted) {
  if (wanted && (fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
    monitor::throw_errno("cannot make an eventfd");
}

void WakeEvent::answer(ResidentImage& resident) const {
  std::uint64_t times;
  if (fd_ >= 0 && read(fd_, &times, sizeof times) > 0) extended::answer(resident.questions);
}

void WakeEvent::ask_for_kick() const {
  kick_ = true;
  const std::uint64_t one = 1;
  (void)!write(fd_, &one, sizeof one);
}

namespace {

/// Between two kicks of a guest that has not taken notice of a new size yet: the first one may have
/// come just before it fell asleep.
constexpr int kick_milliseconds = 20;

/// Passes a new size of the terminal on. The signal is a tick before its time: it ends the guest's
/// wait. True while the guest has not looked.
bool serve_terminal(MachineProcesses& processes, const monitor::Terminal& terminal,
                    vmi::SharedInfo& shared, bool unseen) {
  constexpr std::uint32_t console = 1u << vmi::irq_console;
  if (!terminal.pass_on_size(shared) && !(unseen && (shared.pending.load() & console)))
    return false;
  processes.signal_running(SIGPROF);
  return true;
}

/// SIGCHLD as something to poll, while it lives. The signal stays blocked for the launcher's own
/// thread alone.
class ChildEvents {
 public:
  ChildEvents() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &set, &old_);
    fd_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd_ < 0) monitor::throw_errno("cannot watch the guest-machine processes");
  }
  ~ChildEvents() {
    close(fd_);
    pthread_sigmask(SIG_SETMASK, &old_, nullptr);
  }
  ChildEvents(const ChildEvents&) = delete;
  ChildEvents& operator=(const ChildEvents&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  void drain() const {
    signalfd_siginfo info;
    while (read(fd_, &info, sizeof info) > 0) {
    }
  }

 private:
  int fd_ = -1;
  sigset_t old_{};
};

/// Poll's timeout: until the deadline, and soon if there is something to look at again.
int milliseconds_left(std::optional<double> deadline, bool soon) {
  int milliseconds = soon ? kick_milliseconds : -1;
  if (deadline) {
    const double left = std::max(0.0, *deadline - monitor::monotonic_seconds());
    const int rest = static_cast<int>(left * 1000) + 1;
    if (!soon || rest < milliseconds) milliseconds = rest;
  }
  return milliseconds;
}

/// Processes have died.
Care look_after(const Machine& machine) {
  const Care care = machine.processes.look_after(machine.memory.shared_info().in_kernel);
  return machine.resident.report.ending != Ending::none ? Care::ended : care;
}

/// The signal is a tick before its time.
void kick_if_asked(const Machine& machine) {
  if (machine.wake.take_kick()) machine.processes.signal_running(SIGPROF);
}

/// What others ask of the launcher.
void serve_wake(const Machine& machine) {
  machine.wake.answer(machine.resident);
  kick_if_asked(machine);
}

/// Waits for the end of the machine or of the time. True: in time.
bool wait_for_end(const Machine& machine) {
  const monitor::MachineConfig& config = machine.config;
  const ChildEvents children;
  std::optional<double> deadline;
  if (config.timeout_seconds) deadline = monitor::monotonic_seconds() + *config.timeout_seconds;
  pollfd watched[] = {{children.fd(), POLLIN, 0},
                      {config.terminal ? config.terminal->resized_fd() : -1, POLLIN, 0},
                      {machine.wake.fd(), POLLIN, 0}};
  bool unseen = false;
  Care care = look_after(machine);  // it may have been quick
  while (care != Care::ended) {
    if (deadline && monitor::monotonic_seconds() >= *deadline) return false;
    const bool soon = unseen || care == Care::look_again;
    if (poll(watched, std::size(watched), milliseconds_left(deadline, soon)) < 0)
      for (pollfd& one : watched) one.revents = 0;
    if (watched[0].revents != 0 || care == Care::look_again) {
      children.drain();
      care = look_after(machine);
    }
    serve_wake(machine);
    if (config.terminal)
      unseen =
          serve_terminal(machine.processes, *config.terminal, machine.memory.shared_info(), unseen);
  }
  return true;
}

End watch_unseen(const Machine& machine) {
  const bool in_time = wait_for_end(machine);
  return {machine.processes.end(), in_time};
}

/// The end of the first process, which somebody else waited for, ends the machine. Nothing: its
/// time was up.
End end_with_first(const Machine& machine, const std::optional<monitor::ProcessEnd>& first) {
  if (!first) return {machine.processes.end(), false};
  machine.processes.reaped_first(first->usage);
  machine.processes.end();
  return {first->status, true};
}

/// The same with a witness that traces every host call (tests).
End watch_observed(const Machine& machine, const HostCallSites& sites, monitor::Outcome& outcome) {
  // A parked process is in the kernel, wherever the one that runs is.
  auto in_kernel = [&](pid_t pid) {
    return machine.memory.shared_info().in_kernel.load() != 0 || pid != machine.processes.running();
  };
  // Until the resident part's first host call this is still the launcher's own code.
  bool started = false;
  monitor::Observer observer(in_kernel, [&](const monitor::ObservedCall& call) {
    started = started || call.ip == sites.host_call;
    return !started || is_allowed(sites, call);
  });
  observer.attach(machine.first);
  const auto end =
      observer.watch(machine.first, machine.config.timeout_seconds, [&] { serve_wake(machine); });
  outcome.observed = observer.report();
  outcome.counters["observed_traps"] = observer.trapped();
  return end_with_first(machine, end);
}

/// The same for gdb.
End watch_debugged(const Machine& machine) {
  monitor::DebuggedProcesses debugged(*machine.config.debugger,
                                      [&] { return machine.processes.running(); });
  return end_with_first(machine,
                        debugged.run(machine.first, machine.memory, machine.config.timeout_seconds,
                                     [&] { kick_if_asked(machine); }));
}

}  // namespace

End watch(const Machine& machine, const HostCallSites& sites, monitor::Outcome& outcome) {
  if (machine.config.observe) return watch_observed(machine, sites, outcome);
  if (machine.config.debugger) return watch_debugged(machine);
  return watch_unseen(machine);
}

}  // namespace extended
