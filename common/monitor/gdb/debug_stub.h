// DebugStub: lets gdb stop, look at and step a guest-machine process (exec --debug). The process
// has one tracer, the launcher; so the launcher speaks gdb's remote protocol. The stub is served
// while the process is stopped, and takes only those stops that the debugger brought about: the
// guest's own signals, SIGTRAP included, go where they always go.
//
// Breakpoints are the processor's: nothing is written into guest code, and they hold while the
// window is closed or unmapped. Both launchers use it, in the thread that traces the process. A
// machine of several processes, of which one runs at a time, is one to gdb (debugged_processes.h).
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "monitor/gdb/connection.h"
#include "monitor/guest/memory.h"

namespace monitor {

class DebugStub {
 public:
  /// Waits for gdb. Throws HostError.
  explicit DebugStub(const std::string& socket_path) : connection_(socket_path) {}

  /// The process, freshly stopped for its tracer: gdb's until it lets it go.
  void begin(pid_t pid, const GuestMemory& memory);
  /// A process stopped at `signal`. True when that was the debugger's doing: gdb has had its
  /// turn, and the process is to be resumed as it was, without the signal.
  bool claim(pid_t pid, int signal);
  /// To be called now and then while `running` runs: gdb's Ctrl-C.
  void look(pid_t running);
  /// Gives a stopped process the breakpoints.
  bool load_breakpoints(pid_t pid) const;
  /// True once after they have changed: processes other than the one that gdb had need them, too.
  [[nodiscard]] bool take_change() { return std::exchange(changed_, false); }
  /// The machine's end; gdb hears the exit status.
  void ended(int exit_status);

 private:
  void serve();
  std::string answer(std::string_view packet);
  std::string read_registers();
  std::string write_registers(std::string_view hex);
  std::string read_memory(std::string_view arguments);
  std::string write_memory(std::string_view arguments);
  std::string set_breakpoint(std::string_view arguments, bool wanted);
  bool transfer(std::uint64_t address, std::span<std::byte> bytes, bool write);
  void set_trap_flag(bool on);
  void let_go();

  GdbConnection connection_;
  pid_t pid_ = -1;  // the one that gdb looks at
  const GuestMemory* memory_ = nullptr;
  std::array<std::optional<std::uint64_t>, 4> breakpoints_;  // as many as the processor has
  bool changed_ = false;
  bool stepping_ = false;
  bool interrupting_ = false;
};

}  // namespace monitor
