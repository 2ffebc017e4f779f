// The guest-machine process through ptrace. Only the thread that made the process may use it.
#pragma once

#include <sys/types.h>

#include <optional>

#include "baseline-vmm/stops.h"
#include "monitor/guest/memory.h"

namespace baseline {

class PtraceTracee final : public Tracee {
 public:
  explicit PtraceTracee(pid_t pid) : pid_(pid) {}

  /// Waits for the stop with which the process asks to be traced. What it is instead when the
  /// process failed before that.
  std::optional<Stop> attach();
  /// The next stop; nothing when a signal to this process came first.
  std::optional<Stop> wait();
  void resume(const Resume& resume);
  monitor::KernelRegisters registers();
  /// Kills and reaps a process that has not ended, and says what all of it consumed.
  void finish();

  HostCall call() override;
  SignalInfo signal_info() override;
  void replace_call(std::int64_t number) override;
  void set_ip(std::uint64_t ip) override;
  void send_upcall_signal() override;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool reaped() const { return reaped_; }
  /// User and system time so far, in seconds; peak resident set. The latter after its end only.
  [[nodiscard]] double cpu_seconds() const;
  [[nodiscard]] std::uint64_t rss_bytes() const { return rss_bytes_; }

 private:
  pid_t pid_;
  bool reaped_ = false;
  double total_cpu_seconds_ = 0;
  std::uint64_t rss_bytes_ = 0;
};

}  // namespace baseline
