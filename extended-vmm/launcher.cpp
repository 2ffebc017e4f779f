// The extended VMM's launcher: prepares guest memory, makes the guest-machine process, waits for
// its end, and says what happened. While the guest runs it sleeps: all monitor work is done by the
// resident part, in context.
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "extended-vmm/report.h"
#include "extended-vmm/resident/image.h"
#include "extended-vmm/trap/filter.h"
#include "extended-vmm/trap/gate.h"
#include "monitor/accounting.h"
#include "monitor/block_image.h"
#include "monitor/clock.h"
#include "monitor/error.h"
#include "monitor/guest_memory.h"
#include "monitor/guest_process.h"
#include "monitor/observer.h"
#include "monitor/terminal.h"

namespace extended {
namespace {

Protect protect_of(const monitor::Config& config) {
  switch (config.protect) {
    case monitor::Protect::mmap:
      return Protect::mmap;
    case monitor::Protect::mprotect:
      return Protect::mprotect;
    case monitor::Protect::none:
      break;
  }
  return Protect::none;
}

std::uint64_t address(const void* pointer) {
  return reinterpret_cast<std::uint64_t>(pointer);
}
std::uint64_t address(void (*function)()) {
  return reinterpret_cast<std::uint64_t>(function);
}

HostCallSites sites_of(const ResidentImage& resident, const Gate& gate, Protect protect,
                       const monitor::GuestMemory& memory) {
  return {.protect = protect,
          .opened = vmi::gate_base + gate.opened_offset,
          .closed = vmi::gate_base + gate.closed_offset,
          .host_call = address(resident.host_call_ip),
          .signal_return = address(resident.signal_return_ip),
          .mapping_bytes = memory.total_bytes()};
}

/// The host kernel's own struct sigaction: the C library would put its own restorer in.
void handle_signals(std::uint64_t restorer) {
  const struct {
    std::uint64_t handler, flags, restorer, mask;
  } action = {vmi::gate_base, SA_SIGINFO | SA_NODEFER | SA_ONSTACK | 0x04000000 /* SA_RESTORER */,
              restorer, 0};
  for (int signal : {SIGSYS, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGPROF})
    if (syscall(SYS_rt_sigaction, signal, &action, nullptr, 8) != 0)
      monitor::throw_errno("cannot handle host signals");
}

/// Between two kicks of a guest that has not taken notice of a new size yet: the first one may have
/// come just before it fell asleep.
constexpr int kick_milliseconds = 20;

/// Passes a new size of the terminal on. The signal is a tick before its time: it ends the guest's
/// wait. True while the guest has not looked.
bool serve_terminal(pid_t pid, const monitor::Terminal& terminal, vmi::SharedInfo& shared,
                    bool unseen) {
  constexpr std::uint32_t console = 1u << vmi::irq_console;
  if (!terminal.pass_on_size(shared) && !(unseen && (shared.pending.load() & console)))
    return false;
  kill(pid, SIGPROF);
  return true;
}

/// Waits for the end of `pid`; false when the time is over first.
bool wait_for_end(pid_t pid, const monitor::MachineConfig& config, vmi::SharedInfo& shared) {
  const auto timeout_seconds = config.timeout_seconds;
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (handle < 0) monitor::throw_errno("cannot watch the guest-machine process");
  const double deadline = monitor::monotonic_seconds() + timeout_seconds.value_or(0);
  pollfd watched[] = {{handle, POLLIN, 0},
                      {config.terminal ? config.terminal->resized_fd() : -1, POLLIN, 0}};
  bool unseen = false, in_time = true;
  while (!watched[0].revents && in_time) {
    int milliseconds = unseen ? kick_milliseconds : -1;
    if (timeout_seconds) {
      const double left = deadline - monitor::monotonic_seconds();
      const int rest = left > 0 ? static_cast<int>(left * 1000) + 1 : 0;
      if (!unseen || rest < milliseconds) milliseconds = rest;
      in_time = left > 0;
    }
    if (poll(watched, 2, milliseconds) < 0) watched[0].revents = watched[1].revents = 0;
    if (config.terminal) unseen = serve_terminal(pid, *config.terminal, shared, unseen);
  }
  close(handle);
  return watched[0].revents != 0;
}

/// How the guest-machine process ended: its wait status, and what it cost. Killed when its time is
/// over: `timed_out`.
struct End {
  int status = 0;
  rusage usage{};
  bool timed_out = false;
};

End reap(pid_t pid, bool timed_out) {
  if (timed_out) kill(pid, SIGKILL);
  End end{.timed_out = timed_out};
  while (wait4(pid, &end.status, __WALL, &end.usage) < 0 && errno == EINTR) {
  }
  return end;
}

End watch_unseen(pid_t pid, const monitor::MachineConfig& config, vmi::SharedInfo& shared) {
  return reap(pid, !wait_for_end(pid, config, shared));
}

/// The same with a witness that traces every host call (tests).
End watch_observed(pid_t pid, const monitor::MachineConfig& config, const HostCallSites& sites,
                   const ResidentImage& resident, const monitor::GuestMemory& memory,
                   monitor::Outcome& outcome) {
  monitor::Observer observer(memory.shared_info(), [&](const monitor::ObservedCall& call) {
    // Until the resident part's first instruction this is still the launcher's own code.
    return resident.report.start_tsc == 0 ||
           is_allowed(sites, call.arch, call.ip, call.number, call.arguments);
  });
  observer.attach(pid);
  const auto end = observer.watch(pid, config.timeout_seconds);
  outcome.observed = observer.report();
  outcome.counters["observed_traps"] = observer.trapped();
  return end ? End{end->status, end->usage, false} : reap(pid, true);
}

monitor::Outcome run(const monitor::MachineConfig& config) {
  monitor::Outcome outcome;
  const Protect protect = protect_of(config.config);
  const monitor::BlockImage disk(config.block_image, config.block_read_only);
  monitor::GuestMemory memory(config.memory_bytes);
  outcome.prefault_seconds = memory.prefault();
  const double start = monitor::monotonic_seconds();
  monitor::prepare_guest(memory, config, resident_elf());
  auto& resident = *reinterpret_cast<ResidentImage*>(memory.at(vmi::resident_base));
  resident.start_info = {
      protect,          0, memory.ram_bytes(), memory.boot_info().xsave_bytes, disk.bytes(),
      disk.read_only(), 0};

  const Gate gate = gate_for(protect);
  const HostCallSites sites = sites_of(resident, gate, protect, memory);
  const std::vector<sock_filter> filter = make_filter(sites);
  const GateConstants constants{resident.signal_entry, memory.total_bytes()};

  monitor::GuestProcess process({.memory = memory,
                                 .gate_code = gate.code,
                                 .gate_constants = std::as_bytes(std::span(&constants, 1)),
                                 .entry = address(resident.start),
                                 .stack = address(resident.start_stack),
                                 .cpu = config.cpu,
                                 .keep_stdio = true,
                                 .block_fd = disk.fd(),
                                 .map_ram = protect == Protect::none,
                                 .last_hosted_step = [restorer = address(resident.signal_return),
                                                      filter, observe = config.observe] {
                                   if (observe) monitor::Observer::wait_for_observer();
                                   handle_signals(restorer);
                                   install_filter(filter);
                                 }});
  const End end = config.observe
                      ? watch_observed(process.pid(), config, sites, resident, memory, outcome)
                      : watch_unseen(process.pid(), config, memory.shared_info());
  process.reaped();
  const double ended = monitor::monotonic_seconds();

  judge_end(end.status, process, memory, resident.report, outcome);
  if (end.timed_out) {
    outcome.exit_status = 124;
    outcome.failure = "timeout: the guest ran longer than allowed (--timeout)";
  }
  const auto& scale = memory.shared_info().time;
  if (resident.report.first_user_tsc != 0) {
    const double booted = static_cast<double>(scale.monotonic_ns) / 1e9 +
                          tsc_seconds(scale, resident.report.first_user_tsc - scale.base_tsc);
    outcome.boot_seconds = booted - start;
    outcome.wall_seconds = ended - booted;
  }
  const monitor::ProcessCost cost = monitor::cost_of(end.usage);
  outcome.cpu_seconds = cost.cpu_seconds;
  outcome.rss_bytes = cost.peak_rss_bytes;
  outcome.window_is_huge = memory.window_is_huge();
  read_markers(resident.report, outcome);
  monitor::collect_counters(memory, outcome);
  return outcome;
}

}  // namespace
}  // namespace extended

monitor::Outcome monitor::run_extended(const MachineConfig& config) {
  return extended::run(config);
}
