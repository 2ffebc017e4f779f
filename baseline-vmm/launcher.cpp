// run_baseline: the VMM process. It prepares guest memory, starts the guest-machine process, and
// serves its stops until the machine ends. Everything happens in one thread.
#include <fmt/format.h>
#include <poll.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>

#include "baseline-vmm/host.h"
#include "baseline-vmm/kind.h"
#include "baseline-vmm/startup.h"
#include "baseline-vmm/stops.h"
#include "baseline-vmm/ticker.h"
#include "baseline-vmm/tracee.h"
#include "devices/machine.h"
#include "monitor/gdb/debug_stub.h"
#include "monitor/guest/filler.h"
#include "monitor/guest/markers.h"
#include "monitor/guest/memory.h"
#include "monitor/guest/pinned.h"
#include "monitor/guest/process.h"
#include "monitor/machine/accounting.h"
#include "monitor/machine/clock.h"
#include "monitor/machine/machine_config.h"
#include "monitor/outside/outside.h"
#include "monitor/root/block_image.h"
#include "monitor/tool/error.h"
#include "monitor/tool/terminal.h"

extern "C" {
extern const std::byte baseline_resident_begin[], baseline_resident_end[];
extern const std::byte baseline_gate_begin[], baseline_gate_end[], baseline_gate_leave[];
extern const std::byte baseline_gate_opened[], baseline_gate_closed[], baseline_gate_returned[];
}

namespace baseline {

namespace {

constexpr int status_timeout = 124, status_machine_failed = 125;
constexpr std::uint64_t tick_ns = Ticker::period_us * 1000;

std::span<const std::byte> resident_image() {
  return {baseline_resident_begin, baseline_resident_end};
}

std::uint64_t in_gate(const std::byte* label) {
  return vmi::gate_base + static_cast<std::uint64_t>(label - baseline_gate_begin);
}

ResidentHeader& resident_header(const monitor::GuestMemory& memory) {
  return *reinterpret_cast<ResidentHeader*>(memory.at(vmi::resident_base));
}

std::uint64_t own_peak_rss() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

/// What the resident part takes for granted.
void check_host() {
  constexpr unsigned long fsgsbase = 1 << 1;
  if ((getauxval(AT_HWCAP2) & fsgsbase) == 0) {
    throw monitor::HostError(
        "this host does not let programs set FS and GS base (FSGSBASE); use Linux 5.9 or later "
        "without nofsgsbase, on a CPU that has it");
  }
}

/// The VMM process's own.
void add_counters(const StopCounters& counted, std::map<std::string, std::uint64_t>& counters) {
  counters["stops"] = counted.stops;
  counters["vmm_calls"] = counted.vmm_calls;
  counters["interrupts_sent"] = counted.interrupts_sent;
  counters["signals_suppressed"] = counted.signals_suppressed;
  counters["null_protocol_syscalls"] = counted.null_protocol_syscalls;
  counters["null_protocol_stops"] = counted.null_protocol_stops;
  counters["null_protocol_deviations"] = counted.null_protocol_deviations;
}

/// One launch: from guest memory in place to the Outcome.
class Launch final : public Services {
 public:
  /// `cpus`: where work may be done that is not the guest's.
  Launch(const monitor::MachineConfig& config, monitor::GuestMemory& memory,
         monitor::Outside& outside, const cpu_set_t& cpus, std::uint64_t started_ns)
      : config_(config),
        memory_(memory),
        outside_(outside),
        cpus_(cpus),
        shared_(memory.shared_info()),
        header_(resident_header(memory)),
        rules_{.gate_opened = in_gate(baseline_gate_opened),
               .gate_closed = in_gate(baseline_gate_closed),
               .gate_returned = in_gate(baseline_gate_returned),
               .host_call_ip = header_.host_call_ip,
               .vmm_call_ip = header_.vmm_call_ip,
               .guest_bytes = memory.total_bytes()},
        disk_(config.block_image, config.block_read_only),
        host_(memory),
        machine_(host_,
                 {.image = disk_.fd(),
                  .bytes = disk_.bytes(),
                  .read_only = disk_.read_only(),
                  .memory = memory.fd(),
                  .memory_bytes = memory.total_bytes()},
                 {.doorbell = outside.doorbell(), .wake = outside.wake()}, markers_, shared_,
                 memory.rings()),
        started_ns_(started_ns) {}

  monitor::Outcome run();

  // Services: VMM calls, while the guest-machine process is stopped.
  std::uint64_t device_read(std::uint32_t address) override { return machine_.read(address); }
  void device_write(std::uint32_t address, std::uint64_t value) override {
    machine_.write(address, value);
  }
  void idle() override;
  std::string text(std::uint64_t window_address) override;

 private:
  void serve_stops(PtraceTracee& tracee, Stops& stops);
  void look_at_host();
  void wait_for_host();
  void deliver_output();
  void note_first_instruction(const PtraceTracee& tracee);
  bool out_of_time();
  void report(const Stops& stops, PtraceTracee& tracee);

  const monitor::MachineConfig& config_;
  monitor::GuestMemory& memory_;
  monitor::Outside& outside_;
  const cpu_set_t& cpus_;
  vmi::SharedInfo& shared_;
  ResidentHeader& header_;
  const Rules rules_;
  const monitor::BlockImage disk_;
  Host host_;
  devices::MarkerLog markers_;
  devices::Machine machine_;
  Ticker ticker_;
  Observer observer_{rules_};
  monitor::Outcome outcome_;

  const std::uint64_t started_ns_;
  std::uint64_t first_instruction_ns_ = 0;
  double cpu_seconds_at_first_instruction_ = 0;
};

monitor::Outcome Launch::run() {
  header_.gate_leave = in_gate(baseline_gate_leave);
  GateConstants constants{.guest_bytes = rules_.guest_bytes, .upcall = header_.upcall};
  monitor::GuestProcess process({.memory = memory_,
                                 .gate_code = {baseline_gate_begin, baseline_gate_end},
                                 .gate_constants = std::as_bytes(std::span(&constants, 1)),
                                 .entry = header_.start,
                                 .stack = header_.start_stack,
                                 .last_hosted_step = prepare_tracee});
  PtraceTracee tracee(process.pid());
  Stops stops(trap_of(config_.config), rules_, tracee, *this, header_.mailbox, shared_,
              config_.observe ? &observer_ : nullptr,
              config_.account ? &memory_.accounts() : nullptr);
  if (std::optional<Stop> failed = tracee.attach()) {
    if (tracee.reaped()) process.reaped();
    std::string error = process.startup_error();
    throw monitor::HostError(error.empty() ? "the guest-machine process did not start" : error);
  }
  if (config_.debugger) config_.debugger->begin(process.pid(), memory_);
  const monitor::Filler filler(memory_, config_.fill, cpus_);
  outside_.start([self = pthread_self()] { Ticker::ring(self); });
  tracee.resume({});
  serve_stops(tracee, stops);
  if (stops.end() && stops.end()->wait_status) deliver_output();
  report(stops, tracee);
  process.reaped();
  return std::move(outcome_);
}

/// A tick between the look at the ticker and the wait is seen one tick later.
void Launch::serve_stops(PtraceTracee& tracee, Stops& stops) {
  Resume next;
  while (!stops.end()) {
    if (ticker_.take()) {
      if (out_of_time()) return;
      stops.tick();
      if (config_.debugger) config_.debugger->look(tracee.pid());
      look_at_host();
      if (shared_.pending.load() != 0) stops.interrupt();
    }
    std::optional<Stop> stop = tracee.wait();
    if (!stop) continue;
    if (config_.debugger && stop->kind == Stop::Kind::signal &&
        config_.debugger->claim(tracee.pid(), stop->signal)) {
      tracee.resume({.emulate = next.emulate});
      continue;
    }
    next = stops.handle(*stop);
    if (first_instruction_ns_ == 0 && stops.reached_user()) note_first_instruction(tracee);
    if (!stops.end()) tracee.resume(next);
  }
}

/// On every tick, and before idling.
void Launch::look_at_host() {
  machine_.poll();
  if (config_.terminal) config_.terminal->pass_on_size(shared_);
}

void Launch::note_first_instruction(const PtraceTracee& tracee) {
  first_instruction_ns_ = monitor::monotonic_ns();
  cpu_seconds_at_first_instruction_ =
      monitor::cpu_seconds(CLOCK_THREAD_CPUTIME_ID) + tracee.cpu_seconds();
}

bool Launch::out_of_time() {
  if (!config_.timeout_seconds) return false;
  double elapsed = static_cast<double>(monitor::monotonic_ns() - started_ns_) * 1e-9;
  return elapsed > *config_.timeout_seconds;
}

void Launch::idle() {
  for (;;) {
    (void)ticker_.take();  // takes nobody's time
    look_at_host();
    if (shared_.pending.load() != 0 || out_of_time()) return;
    wait_for_host();
  }
}

/// A tick is soon enough for all but what the machine waits for.
void Launch::wait_for_host() {
  const devices::Waits waits = machine_.waits();
  std::uint64_t left = tick_ns;
  if (waits.deadline_ns != 0) {
    const std::uint64_t now = monitor::monotonic_ns();
    left = waits.deadline_ns > now ? std::min(waits.deadline_ns - now, tick_ns) : 0;
  }
  const timespec wait{.tv_sec = 0, .tv_nsec = static_cast<long>(left)};
  pollfd polled[devices::Waits::most];
  for (std::uint32_t i = 0; i < waits.count; ++i) {
    polled[i] = {.fd = waits.entries[i].fd, .events = waits.entries[i].wanted, .revents = 0};
  }
  ppoll(polled, waits.count, &wait, nullptr);
}

/// The guest has shut down: what it said and nobody has read yet.
void Launch::deliver_output() {
  while (machine_.output_blocked() && !out_of_time()) {
    wait_for_host();
    machine_.poll();
  }
}

std::string Launch::text(std::uint64_t window_address) {
  const auto* at = reinterpret_cast<const char*>(memory_.at(window_address));
  if (!at) return "guest kernel panic (its message is not in the window)";
  return {at, strnlen(at, std::min<std::uint64_t>(vmi::window_end - window_address, 1024))};
}

void Launch::report(const Stops& stops, PtraceTracee& tracee) {
  std::uint64_t end_ns = monitor::monotonic_ns();
  if (const auto& end = stops.end(); !end) {
    outcome_.exit_status = status_timeout;
  } else if (end->wait_status) {
    int status = *end->wait_status;
    outcome_.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  } else {
    outcome_.exit_status = status_machine_failed;
    outcome_.failure =
        end->registers_valid
            ? monitor::describe_death(memory_, end->failure, tracee.registers(), resident_image())
            : end->failure;
  }
  tracee.finish();
  outside_.stop(outcome_);
  if (first_instruction_ns_ != 0) {
    outcome_.boot_seconds = static_cast<double>(first_instruction_ns_ - started_ns_) * 1e-9;
    outcome_.wall_seconds = static_cast<double>(end_ns - first_instruction_ns_) * 1e-9;
    outcome_.cpu_seconds += monitor::cpu_seconds(CLOCK_THREAD_CPUTIME_ID) + tracee.cpu_seconds() -
                            cpu_seconds_at_first_instruction_;
  }
  outcome_.rss_bytes = std::max(tracee.rss_bytes(), own_peak_rss());
  monitor::read_markers(markers_, outcome_);
  outcome_.observed = observer_.report();
  monitor::collect_counters(memory_, outcome_);
  add_counters(stops.counters(), outcome_.counters);
}

}  // namespace

}  // namespace baseline

namespace monitor {

Outcome run_baseline(const MachineConfig& config) {
  baseline::check_host();
  const Pinned pinned(config.cpu);
  GuestMemory memory(config.memory_bytes);
  Outside outside(config.outside);  // its thread ends before memory does, whatever is thrown
  double prefault_seconds = memory.prefault(config.fill);
  std::uint64_t started_ns = monotonic_ns();
  prepare_guest(memory, config, baseline::resident_image());
  outside.prepare(memory);
  baseline::Launch launch(config, memory, outside, pinned.before(), started_ns);
  Outcome outcome = launch.run();
  outcome.prefault_seconds = prefault_seconds;
  outcome.window_is_huge = memory.window_is_huge();
  if (!outcome.window_is_huge) {
    outcome.warnings.push_back(
        "the window has 4 KiB pages: each page of guest kernel memory is faulted in anew at each "
        "opening; allow MADV_COLLAPSE (Linux 6.1 or later)");
  }
  return outcome;
}

}  // namespace monitor
