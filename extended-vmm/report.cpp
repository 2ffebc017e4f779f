// Reads what the resident part left behind (resident/image.h) into an Outcome; see report.h.
#include "extended-vmm/report.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstring>

#include "extended-vmm/trap/patched_site.h"
#include "monitor/guest/process.h"
#include "monitor/machine/time_scale.h"

extern "C" const std::byte extended_resident_image_begin[], extended_resident_image_end[];

namespace extended {

std::span<const std::byte> resident_elf() {
  return {extended_resident_image_begin, extended_resident_image_end};
}

void warn_of_trapping_sites(const vmi::Counters& counters, monitor::Outcome& outcome) {
  const std::uint64_t calls = counters.calls_without_room;
  if (calls == 0) return;
  outcome.warnings.push_back(
      std::to_string(calls) +
      " system calls trapped because more call sites were in use than can be patched at a time (" +
      std::to_string(vmi::trampolines_high_bytes / sizeof(Trampoline)) + ", and " +
      std::to_string(vmi::trampolines_low_bytes / sizeof(Trampoline)) +
      " of programs in low memory): figures with them are not those of trap=direct alone");
}

std::optional<double> boot_time(const Report& report, const vmi::TimeScale& scale,
                                std::uint64_t now_tsc) {
  const std::uint64_t tsc = report.first_user_tsc;
  if (tsc < scale.base_tsc || tsc > now_tsc) return {};
  return static_cast<double>(monitor::scaled_monotonic_ns(scale, tsc)) / 1e9;
}

void judge_end(int status, const std::string& startup_error, const monitor::GuestMemory& memory,
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
    const std::string message(report.message, strnlen(report.message, sizeof report.message));
    outcome.failure = monitor::describe_death(memory, message, registers, resident_elf());
  } else if (WIFEXITED(status) && WEXITSTATUS(status) == monitor::GuestProcess::startup_failed) {
    outcome.failure = startup_error;
  } else if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    outcome.failure = "the guest-machine process was killed by host signal " +
                      std::to_string(signal) + " (" + strsignal(signal) + "): " +
                      (signal == SIGKILL ? "by hand, or by the host for want of memory (--memory)"
                                         : "under protect=none a guest program can do that");
  } else {
    outcome.failure =
        "the guest-machine process ended without a report, wait status " + std::to_string(status);
  }
}

}  // namespace extended
