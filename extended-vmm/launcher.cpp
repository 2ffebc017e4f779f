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
#include <charconv>
#include <cstring>

#include "extended-vmm/resident/image.h"
#include "extended-vmm/trap/filter.h"
#include "extended-vmm/trap/gate.h"
#include "monitor/clock.h"
#include "monitor/error.h"
#include "monitor/guest_memory.h"
#include "monitor/guest_process.h"

extern "C" const std::byte extended_resident_image_begin[], extended_resident_image_end[];

namespace extended {
namespace {

std::span<const std::byte> resident_elf() {
  return {extended_resident_image_begin, extended_resident_image_end};
}

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

/// Waits for the end of `pid`; false when the time is over first.
bool wait_for_end(pid_t pid, std::optional<double> timeout_seconds) {
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (handle < 0) monitor::throw_errno("cannot watch the guest-machine process");
  const double deadline = monitor::monotonic_seconds() + timeout_seconds.value_or(0);
  int ready;
  do {
    int milliseconds = -1;
    if (timeout_seconds) {
      const double left = deadline - monitor::monotonic_seconds();
      milliseconds = left > 0 ? static_cast<int>(left * 1000) + 1 : 0;
    }
    pollfd descriptor{handle, POLLIN, 0};
    ready = poll(&descriptor, 1, milliseconds);
  } while (ready < 0 && errno == EINTR);
  close(handle);
  return ready > 0;
}

void read_markers(const Report& report, monitor::Outcome& outcome) {
  std::string_view log(report.marker_log, std::min(report.marker_bytes, marker_log_bytes));
  while (!log.empty()) {
    const std::string_view line = log.substr(0, log.find('\n'));
    log.remove_prefix(std::min(line.size() + 1, log.size()));
    monitor::Marker marker{};
    const auto [end, error] =
        std::from_chars(line.data(), line.data() + line.size(), marker.host_ns);
    if (error != std::errc{} || end == line.data() + line.size()) continue;
    marker.text.assign(end + 1, line.data() + line.size());
    outcome.markers.push_back(std::move(marker));
  }
  if (report.markers_lost != 0)
    outcome.warnings.push_back(std::to_string(report.markers_lost) +
                               " markers were lost: a run holds some hundred");
}

double tsc_seconds(const vmi::TimeScale& scale, std::uint64_t ticks) {
  return static_cast<double>(ticks) * scale.mult / static_cast<double>(1ull << scale.shift) / 1e9;
}

/// How the guest-machine process ended, from its wait status and the resident part's report.
void judge_end(int status, const monitor::GuestProcess& process, const monitor::GuestMemory& memory,
               const Report& report, monitor::Outcome& outcome) {
  constexpr int machine_failed = 125;
  outcome.exit_status = machine_failed;
  if (report.ending == Ending::shutdown) {
    outcome.exit_status = WIFSIGNALED(report.wait_status) ? 128 + WTERMSIG(report.wait_status)
                                                          : WEXITSTATUS(report.wait_status);
  } else if (report.ending == Ending::death) {
    static_assert(sizeof(DeathRegisters) == sizeof(monitor::KernelRegisters));
    monitor::KernelRegisters registers;
    std::memcpy(&registers, &report.registers, sizeof registers);
    outcome.failure =
        monitor::describe_death(memory, std::string(report.message, strnlen(report.message, 256)),
                                registers, resident_elf());
  } else if (WIFEXITED(status) && WEXITSTATUS(status) == monitor::GuestProcess::startup_failed) {
    outcome.failure = process.startup_error();
  } else if (WIFSIGNALED(status)) {
    outcome.failure = "the guest-machine process was killed by host signal " +
                      std::to_string(WTERMSIG(status)) + " (" + strsignal(WTERMSIG(status)) +
                      "); the host's out-of-memory killer and `kill` do that";
  } else {
    outcome.failure =
        "the guest-machine process ended without a report, wait status " + std::to_string(status);
  }
}

monitor::Outcome run(const monitor::MachineConfig& config) {
  monitor::Outcome outcome;
  const Protect protect = protect_of(config.config);
  monitor::GuestMemory memory(config.memory_bytes);
  outcome.prefault_seconds = memory.prefault();
  const double start = monitor::monotonic_seconds();
  monitor::prepare_guest(memory, config, resident_elf());
  auto& resident = *reinterpret_cast<ResidentImage*>(memory.at(vmi::resident_base));
  resident.start_info = {protect, 0, memory.ram_bytes(), memory.boot_info().xsave_bytes};

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
       .map_ram = protect == Protect::none,
       .last_hosted_step = [restorer = address(resident.signal_return), filter] {
         handle_signals(restorer);
         install_filter(filter);
       }});
  const bool ended = wait_for_end(process.pid(), config.timeout_seconds);
  if (!ended) kill(process.pid(), SIGKILL);
  int status = 0;
  rusage usage{};
  while (wait4(process.pid(), &status, 0, &usage) < 0 && errno == EINTR) {
  }
  process.reaped();
  const double end = monitor::monotonic_seconds();

  judge_end(status, process, memory, resident.report, outcome);
  if (!ended) {
    outcome.exit_status = 124;
    outcome.failure = "timeout: the guest ran longer than allowed (--timeout)";
  }
  const auto& scale = memory.shared_info().time;
  if (resident.report.first_user_tsc != 0) {
    const double booted = static_cast<double>(scale.monotonic_ns) / 1e9 +
                          tsc_seconds(scale, resident.report.first_user_tsc - scale.base_tsc);
    outcome.boot_seconds = booted - start;
    outcome.wall_seconds = end - booted;
  }
  outcome.cpu_seconds = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                        static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  outcome.rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
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
