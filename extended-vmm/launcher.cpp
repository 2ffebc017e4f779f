// The extended VMM's launcher: prepares guest memory, makes the guest-machine process, and says
// what happened. While the guest runs it sleeps (watch.cpp): all monitor work is done by the
// resident part, in context.
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "extended-vmm/kind.h"
#include "extended-vmm/report.h"
#include "extended-vmm/resident/image.h"
#include "extended-vmm/spaces/members.h"
#include "extended-vmm/trap/filter.h"
#include "extended-vmm/trap/gate.h"
#include "extended-vmm/watch.h"
#include "monitor/gdb/debugged_processes.h"
#include "monitor/guest/filler.h"
#include "monitor/guest/markers.h"
#include "monitor/guest/memory.h"
#include "monitor/guest/observer.h"
#include "monitor/guest/pinned.h"
#include "monitor/guest/process.h"
#include "monitor/machine/accounting.h"
#include "monitor/machine/clock.h"
#include "monitor/outside/outside.h"
#include "monitor/root/block_image.h"
#include "monitor/tool/error.h"

namespace extended {
namespace {

std::uint64_t address(const void* pointer) {
  return reinterpret_cast<std::uint64_t>(pointer);
}
std::uint64_t address(void (*function)()) {
  return reinterpret_cast<std::uint64_t>(function);
}

HostCallSites sites_of(const ResidentImage& resident, const Gate& gate) {
  const StartInfo& start = resident.start_info;
  return {.protection = start.protection,
          .opened = vmi::gate_base + gate.opened_offset,
          .closed = vmi::gate_base + gate.closed_offset,
          .direct_opened = vmi::gate_base + gate.direct_opened_offset,
          .direct_closed = vmi::gate_base + gate.direct_closed_offset,
          .host_call = address(resident.host_call_ip),
          .signal_return = address(resident.signal_return_ip),
          .mapping_bytes = vmi::ram_offset + start.ram_bytes,
          .attic_slabs = start.attic_slabs,
          .trap = start.trap,
          .spaces = start.spaces,
          .block_bytes = start.block_bytes,
          .block_read_only = start.block_read_only != 0,
          .has_sockets = start.has_sockets != 0};
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

monitor::Outcome run(const monitor::MachineConfig& config) {
  monitor::Outcome outcome;
  const Point point = point_of(config.config);
  const Protection& protection = point.protect.protection;
  const monitor::Pinned pinned(config.cpu);
  const monitor::BlockImage disk(config.block_image, config.block_read_only);
  monitor::GuestMemory memory(config.memory_bytes);
  // Older than the thread that uses it, as memory is: whatever is thrown, the thread ends before.
  const WakeEvent wake(point.trap == Trap::direct || !config.outside.empty());
  monitor::Outside outside(config.outside);
  outcome.prefault_seconds = memory.prefault(config.fill);
  const double start = monitor::monotonic_seconds();
  monitor::prepare_guest(memory, config, resident_elf());
  outside.prepare(memory);
  auto& resident = *reinterpret_cast<ResidentImage*>(memory.at(vmi::resident_base));
  const vmi::TimeScale scale = memory.shared_info().time;
  const Gate gate = gate_for(protection.window, point.trap, config.account);
  resident.start_info = {
      .trap = point.trap,
      .protection = protection,
      .spaces = point.spaces,
      .launcher = getpid(),
      .ram_bytes = memory.ram_bytes(),
      .attic_slabs = memory.attic_slabs(),
      .xsave_bytes = memory.boot_info().xsave_bytes,
      .xsave_features = memory.boot_info().xsave_features,
      .block_bytes = disk.bytes(),
      .block_read_only = disk.read_only(),
      .has_sockets = outside.is_there(),
      .direct_saved_offset = static_cast<std::uint32_t>(gate.direct_saved_offset)};

  const HostCallSites sites = sites_of(resident, gate);
  const std::vector<sock_filter> filter = make_filter(sites);
  const GateConstants constants{resident.signal_entry, memory.total_bytes(), resident.direct_entry,
                                resident.not_closed};

  monitor::GuestProcess process(
      {.memory = memory,
       .gate_code = gate.code,
       .gate_constants = std::as_bytes(std::span(&constants, 1)),
       .entry = address(resident.start),
       .stack = address(resident.start_stack),
       .keep_stdio = true,
       .block_fd = disk.fd(),
       .wake_fd = point.trap == Trap::direct ? wake.fd() : -1,
       .doorbell_fd = outside.doorbell(),
       .awake_fd = outside.wake(),
       .map_ram = protection.window == Window::stays_open,
       .last_hosted_step = [restorer = address(resident.signal_return), filter,
                            observe = config.observe, debug = config.debugger != nullptr] {
         if (observe) monitor::Observer::wait_for_observer();
         if (debug) monitor::DebuggedProcesses::wait_for_debugger();
         handle_signals(restorer);
         install_filter(filter);
       }});
  MachineProcesses processes(resident.members, process.pid());
  const Machine machine{config, memory, resident, processes, wake, process.pid()};
  process.reaped();  // by `processes`, whatever happens
  const monitor::Filler filler(memory, config.fill, pinned.before());
  outside.start([&wake] { wake.ask_for_kick(); });
  // The launcher's own work for the machine counts, too.
  const double own_cpu = monitor::cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
  const End end = watch(machine, sites, outcome);
  const double ended = monitor::monotonic_seconds();
  outside.stop(outcome);

  const Report report = resident.report;
  judge_end(end.status, process.startup_error(), memory, report, outcome);
  if (!end.in_time) {
    outcome.exit_status = 124;
    outcome.failure = "timeout: the guest ran longer than allowed (--timeout)";
  }
  if (const auto booted = boot_time(report, scale, __builtin_ia32_rdtsc())) {
    outcome.boot_seconds = *booted - start;
    outcome.wall_seconds = ended - *booted;
  }
  outcome.cpu_seconds +=
      processes.cost().cpu_seconds + monitor::cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - own_cpu;
  outcome.rss_bytes = processes.cost().peak_rss_bytes;
  outcome.window_is_huge = memory.window_is_huge();
  monitor::read_markers(report.markers, outcome);
  monitor::collect_counters(memory, outcome);
  warn_of_trapping_sites(memory.shared_info().counters, outcome);
  // There it counts entries into the kernel: nothing is opened.
  if (protection.window == Window::stays_open) outcome.counters["window_openings"] = 0;
  return outcome;
}

}  // namespace
}  // namespace extended

monitor::Outcome monitor::run_extended(const MachineConfig& config) {
  return extended::run(config);
}
