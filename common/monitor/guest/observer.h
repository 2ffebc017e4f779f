// Observer: an outside witness of what a guest-machine process asks of the host, for tests
// (MachineConfig::observe). It traces the process with ptrace, lets everything pass unchanged, and
// notes each host call at its entry: before any seccomp filter has seen it. A call that the filter
// then turned into SIGSYS never reached the host and is only counted; all others are reported, and
// judged by rules that the VMM states independently of its filter.
//
// Used by the extended VMM's launcher, whose guest-machine process runs untraced otherwise. The
// baseline's VMM process traces its guest-machine process anyway and notes host calls by itself.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "monitor/machine/accounting.h"
#include "monitor/machine/machine_config.h"

namespace monitor {

class Observer {
 public:
  /// True for a call that the VMM's own rules allow. Asked at each call; `allowed` and `count` are
  /// not set yet.
  using Rules = std::function<bool(const ObservedCall&)>;

  /// Does that process run guest-kernel code now? Asked at each call.
  using InKernel = std::function<bool(pid_t)>;

  Observer(InKernel in_kernel, Rules rules);

  /// In the process to be observed, before its first call that matters: waits for attach().
  static void wait_for_observer();
  /// In its parent: begins to observe a child that calls wait_for_observer(). The child and what it
  /// clones die with this process from now on. Throws HostError when ptrace is not allowed, or the
  /// child ended first.
  void attach(pid_t child);
  /// One status of a traced process, as waitpid(…, __WALL) gave it. A stop is noted, the process
  /// resumed with the signal it was about to get: true. False when the process has ended.
  bool step(pid_t pid, int status);

  /// Steps until `child` has ended. Nothing when `timeout_seconds` pass first: the child runs on.
  /// `meanwhile` is called after each step: what else the launcher has to do.
  std::optional<ProcessEnd> watch(
      pid_t child, std::optional<double> timeout_seconds,
      const std::function<void()>& meanwhile = [] {});

  /// The calls that reached the host, identical ones folded. Of a process that has not ended also
  /// the one it was in last.
  [[nodiscard]] std::vector<ObservedCall> report() const;
  /// Attempts that the filter turned into SIGSYS.
  [[nodiscard]] std::uint64_t trapped() const { return trapped_; }

 private:
  void entered_call(pid_t pid);
  void settle(pid_t pid, bool trapped);
  [[nodiscard]] bool is_trap_of(pid_t pid) const;

  using Key = std::tuple<std::uint64_t, std::uint32_t, std::uint64_t, std::array<std::uint64_t, 6>,
                         bool, bool>;
  static Key key_of(const ObservedCall& call);

  InKernel in_kernel_;
  Rules rules_;
  /// Entered; whether the filter traps it shows at the next stop.
  std::map<pid_t, ObservedCall> open_;
  std::map<Key, ObservedCall> calls_;
  std::uint64_t trapped_ = 0;
};

}  // namespace monitor
