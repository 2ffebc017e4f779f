// The extended VMM's launcher: prepares guest memory, makes the guest-machine process, waits for
// its end, and says what happened. While the guest runs it sleeps: all monitor work is done by the
// resident part, in context.
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "extended-vmm/report.h"
#include "extended-vmm/resident/image.h"
#include "extended-vmm/spaces/members.h"
#include "extended-vmm/trap/filter.h"
#include "extended-vmm/trap/gate.h"
#include "monitor/accounting.h"
#include "monitor/block_image.h"
#include "monitor/clock.h"
#include "monitor/debugged_processes.h"
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

Spaces spaces_of(const monitor::Config& config) {
  return config.spaces == monitor::Spaces::pool ? Spaces::pool : Spaces::remap;
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
bool serve_terminal(const MachineProcesses& processes, const monitor::Terminal& terminal,
                    vmi::SharedInfo& shared, bool unseen) {
  constexpr std::uint32_t console = 1u << vmi::irq_console;
  if (!terminal.pass_on_size(shared) && !(unseen && (shared.pending.load() & console)))
    return false;
  kill(processes.running(), SIGPROF);
  return true;
}

/// SIGCHLD as something to poll, while it lives: how the death of a process other than the first
/// shows. The signal stays blocked for the launcher's own thread alone.
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

enum class Wakeup { ended, lost_process, timeout };

/// Waits for the end of the first process, or of the time, or of another process.
Wakeup wait_for_end(pid_t first, const MachineProcesses& processes,
                    const monitor::MachineConfig& config, vmi::SharedInfo& shared) {
  const auto timeout_seconds = config.timeout_seconds;
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, first, 0));
  if (handle < 0) monitor::throw_errno("cannot watch the guest-machine process");
  const ChildEvents children;
  const double deadline = monitor::monotonic_seconds() + timeout_seconds.value_or(0);
  pollfd watched[] = {{handle, POLLIN, 0},
                      {config.terminal ? config.terminal->resized_fd() : -1, POLLIN, 0},
                      {children.fd(), POLLIN, 0}};
  bool unseen = false, in_time = true, lost = false;
  while (!watched[0].revents && in_time && !lost) {
    int milliseconds = unseen ? kick_milliseconds : -1;
    if (timeout_seconds) {
      const double left = deadline - monitor::monotonic_seconds();
      const int rest = left > 0 ? static_cast<int>(left * 1000) + 1 : 0;
      if (!unseen || rest < milliseconds) milliseconds = rest;
      in_time = left > 0;
    }
    if (poll(watched, 3, milliseconds) < 0)
      watched[0].revents = watched[1].revents = watched[2].revents = 0;
    if (watched[2].revents != 0) {
      children.drain();
      lost = processes.lost_one();
    }
    if (config.terminal) unseen = serve_terminal(processes, *config.terminal, shared, unseen);
  }
  close(handle);
  if (watched[0].revents != 0) return Wakeup::ended;
  return lost ? Wakeup::lost_process : Wakeup::timeout;
}

/// How the machine ended: its first process's wait status, and why it was killed, if it was.
struct End {
  int status = 0;
  Wakeup why = Wakeup::ended;
};

End watch_unseen(pid_t first, MachineProcesses& processes, const monitor::MachineConfig& config,
                 vmi::SharedInfo& shared) {
  const Wakeup why = wait_for_end(first, processes, config, shared);
  return {processes.end(), why};
}

/// The same with a witness that traces every host call (tests).
End watch_observed(pid_t first, MachineProcesses& processes, const monitor::MachineConfig& config,
                   const HostCallSites& sites, const ResidentImage& resident,
                   const monitor::GuestMemory& memory, monitor::Outcome& outcome) {
  // A parked process is in the kernel, wherever the one that runs is.
  auto in_kernel = [&](pid_t pid) {
    return memory.shared_info().in_kernel.load() != 0 || pid != processes.running();
  };
  monitor::Observer observer(in_kernel, [&](const monitor::ObservedCall& call) {
    // Until the resident part's first instruction this is still the launcher's own code.
    return resident.report.start_tsc == 0 ||
           is_allowed(sites, call.arch, call.ip, call.number, call.arguments);
  });
  observer.attach(first);
  const auto end = observer.watch(first, config.timeout_seconds);
  outcome.observed = observer.report();
  outcome.counters["observed_traps"] = observer.trapped();
  if (!end) return {processes.end(), Wakeup::timeout};
  processes.reaped_first(end->usage);
  processes.end();
  return {end->status, Wakeup::ended};
}

/// The same for gdb.
End watch_debugged(pid_t first, MachineProcesses& processes, const monitor::MachineConfig& config,
                   const monitor::GuestMemory& memory) {
  monitor::DebuggedProcesses debugged(*config.debugger, [&] { return processes.running(); });
  const auto end = debugged.run(first, memory, config.timeout_seconds);
  if (!end) return {processes.end(), Wakeup::timeout};
  processes.reaped_first(end->usage);
  processes.end();
  return {end->status, Wakeup::ended};
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
  resident.start_info = {.protect = protect,
                         .spaces = spaces_of(config.config),
                         .ram_bytes = memory.ram_bytes(),
                         .xsave_bytes = memory.boot_info().xsave_bytes,
                         .block_bytes = disk.bytes(),
                         .block_read_only = disk.read_only(),
                         .launcher = getpid()};

  const Gate gate = gate_for(protect);
  const HostCallSites sites = sites_of(resident, gate, protect, memory);
  const std::vector<sock_filter> filter = make_filter(sites);
  const GateConstants constants{resident.signal_entry, memory.total_bytes()};

  monitor::GuestProcess process(
      {.memory = memory,
       .gate_code = gate.code,
       .gate_constants = std::as_bytes(std::span(&constants, 1)),
       .entry = address(resident.start),
       .stack = address(resident.start_stack),
       .cpu = config.cpu,
       .keep_stdio = true,
       .block_fd = disk.fd(),
       .map_ram = protect == Protect::none,
       .last_hosted_step = [restorer = address(resident.signal_return), filter,
                            observe = config.observe, debug = config.debugger != nullptr] {
         if (observe) monitor::Observer::wait_for_observer();
         if (debug) monitor::DebuggedProcesses::wait_for_debugger();
         handle_signals(restorer);
         install_filter(filter);
       }});
  MachineProcesses processes(resident.members, process.pid());
  const pid_t first = process.pid();
  process.reaped();  // by the other one, whatever happens
  const End end = config.observe
                      ? watch_observed(first, processes, config, sites, resident, memory, outcome)
                  : config.debugger ? watch_debugged(first, processes, config, memory)
                                    : watch_unseen(first, processes, config, memory.shared_info());
  const double ended = monitor::monotonic_seconds();

  judge_end(end.status, process, memory, resident.report, outcome);
  if (end.why == Wakeup::timeout) {
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
  outcome.cpu_seconds = processes.cost().cpu_seconds;
  outcome.rss_bytes = processes.cost().peak_rss_bytes;
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
