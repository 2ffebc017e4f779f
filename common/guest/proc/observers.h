// ProcessObserver: how those above hear of what happens to processes: tracing, the terminal, the
// disk. One list, made at boot (boot/layers.cpp); told in its order, on the kernel stack of the
// current thread, which may block there.
#pragma once

#include <span>

namespace guest {

class Process;

class ProcessObserver {
 public:
  /// The current process is about to act on a signal that it does not ignore.
  virtual void signal_taken(int /*signal*/) {}
  /// The current process ends, with a wait status; it still has all that it had.
  virtual void process_ends(const Process& /*process*/, int /*wait_status*/) {}
  /// The first process has ended, and with it the machine does: the last chance to say or write
  /// anything.
  virtual void machine_ends() {}

 protected:
  ~ProcessObserver() = default;
};

using ProcessObservers = std::span<ProcessObserver* const>;
/// The list must live as long as the kernel.
void set_process_observers(ProcessObservers observers);
ProcessObservers process_observers();

}  // namespace guest
