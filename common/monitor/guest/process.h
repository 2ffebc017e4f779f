// The guest-machine process: the one host process in which guest kernel and guest programs live.
// Both launchers make it here. It starts as a copy of the launcher, strips itself of all that ties
// it to the host's C library, maps gate, alternate stack and window at their fixed addresses, and
// jumps into the resident part, which unmaps the rest (resident/unmap_host.h).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "monitor/guest/memory.h"
#include "monitor/guest/process_fd.h"

namespace monitor {

struct GuestProcessPlan {
  const GuestMemory& memory;
  /// Copied to vmi::gate_base: code page (made read-execute), then constants (made read-only).
  std::span<const std::byte> gate_code;
  std::span<const std::byte> gate_constants;
  /// The resident part's first instruction and its stack pointer, both in the window.
  std::uint64_t entry;
  std::uint64_t stack;
  bool keep_stdio = false;  // the extended VMM's devices run in this process, the baseline's do not
  int block_fd = -1;        // the disk image, to become guest_block_fd; -1: none
  int wake_fd = -1;         // likewise guest_wake_fd
  int doorbell_fd = -1, awake_fd = -1;
  bool map_ram = false;  // RAM behind the window from the start (protect=none)
  /// Runs in the child as the last step with a C library: PTRACE_TRACEME, signal handlers, filter.
  /// Throws HostError. The launcher's stack and the vdso are gone by then: the function must own
  /// what it touches (capture by value, or point to the heap).
  std::function<void()> last_hosted_step;
};

class GuestProcess {
 public:
  /// Throws HostError when the process cannot be made. Trouble inside the child shows later, as
  /// its exit with startup_failed: then startup_error() says what happened.
  explicit GuestProcess(const GuestProcessPlan&);
  ~GuestProcess();
  GuestProcess(const GuestProcess&) = delete;
  GuestProcess& operator=(const GuestProcess&) = delete;

  static constexpr int startup_failed = 121;
  /// As the host lists it.
  static constexpr char name[] = "guest-machine";
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string startup_error() const;
  /// The process was reaped: the destructor, which kills and reaps it otherwise, leaves it alone.
  void reaped() { pid_ = -1; }

 private:
  pid_t pid_ = -1;
  char* error_page_ = nullptr;
};

}  // namespace monitor
