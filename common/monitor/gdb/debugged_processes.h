// DebuggedProcesses: traces the processes of a machine for gdb alone, where nobody traces them
// otherwise (the extended VMM). They come from the first one by clone, and one runs at a time: to
// gdb they are one. Every signal but the debugger's own goes on to its process.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <set>

#include "monitor/gdb/debug_stub.h"
#include "monitor/machine/accounting.h"

namespace monitor {

class DebuggedProcesses {
 public:
  /// `running` tells which process runs at the moment.
  DebuggedProcesses(DebugStub& stub, std::function<pid_t()> running)
      : stub_(stub), running_(std::move(running)) {}

  /// In the first process, before its first step that matters: waits for run().
  static void wait_for_debugger();

  /// In its parent: until the first process ends. Nothing when the time is over first. Calls
  /// `meanwhile` every few milliseconds.
  std::optional<ProcessEnd> run(pid_t first, const GuestMemory& memory,
                                std::optional<double> timeout_seconds,
                                const std::function<void()>& meanwhile);

 private:
  int signal_to_pass(pid_t pid, int status);
  void renew_breakpoints(pid_t except);

  DebugStub& stub_;
  std::function<pid_t()> running_;
  std::set<pid_t> known_;
};

}  // namespace monitor
