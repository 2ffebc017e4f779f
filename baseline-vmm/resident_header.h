// What VMM process and resident part tell each other, in the first bytes of the resident part's
// image (vmi::resident_base) and in the gate's constants. The VMM process reads and writes them
// through its own mapping of guest memory; guest user code never sees the former and can only read
// the latter.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmi/hypercalls.h"

namespace baseline {

/// The private system call by which the resident part asks the VMM process for something. The host
/// has no such call; the VMM process serves it at its entry stop.
inline constexpr std::uint64_t vmm_call_number = 0x7477;

/// Why the guest-machine process is in its signal handler. Written by the VMM process before the
/// signal is delivered.
enum class Mail : std::uint32_t { boot, syscall, int80, interrupt, fault };

struct Mailbox {
  Mail mail;
  std::uint32_t reserved;
  std::uint64_t syscall_number;  // for syscall, int80
  std::uint64_t result;          // of the last VMM call
};

/// First argument of a VMM call; two more follow.
enum class VmmCall : std::uint64_t {
  started,       // nothing of the host is mapped any more: boot the guest kernel
  idle,          //
  shutdown,      // wait status
  panic,         // address of a message in the window
  device_read,   // bus address
  device_write,  // bus address, value
};

struct ResidentHeader {
  vmi::Hypercalls hypercalls;
  Mailbox mailbox;
  // Resident part to VMM process, by the linker.
  std::uint64_t start;         // first instruction of the guest-machine process proper
  std::uint64_t start_stack;   // and its stack
  std::uint64_t upcall;        // where the gate jumps once the window is open
  std::uint64_t host_call_ip;  // behind the one `syscall` for changes to user memory
  std::uint64_t vmm_call_ip;   // behind the one for VMM calls
  // VMM process to resident part, before it starts.
  std::uint64_t gate_leave;  // the gate's way out
};

/// The gate's second page, read-only.
inline constexpr std::uint64_t gate_constants_base = vmi::gate_base + vmi::page_size;
struct GateConstants {
  std::uint64_t guest_bytes;  // from the window to the end of RAM: length of the one mapping
  std::uint64_t upcall;       // ResidentHeader::upcall
};

}  // namespace baseline
