// See protocol.h. Pure functions of a call: tests feed them with made-up ones.
#include "baseline-vmm/protocol.h"

#include <linux/audit.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "monitor/guest/process.h"

namespace baseline {

namespace {

bool in_user_memory(std::uint64_t va, std::uint64_t bytes) {
  return bytes != 0 && va % vmi::page_size == 0 && bytes % vmi::page_size == 0 &&
         vmi::is_user_range(va, bytes);
}

bool is_protection(std::uint64_t protection) {
  return (protection & ~static_cast<std::uint64_t>(PROT_READ | PROT_WRITE | PROT_EXEC)) == 0;
}

/// A run of RAM frames into user memory.
bool maps_frames(const HostCall& call, std::uint64_t guest_bytes) {
  const auto& a = call.arguments;
  return in_user_memory(a[0], a[1]) && is_protection(a[2]) &&
         (a[3] & ~static_cast<std::uint64_t>(MAP_POPULATE)) == (MAP_SHARED | MAP_FIXED) &&
         a[4] == monitor::guest_memory_fd && a[5] % vmi::page_size == 0 &&
         a[5] >= vmi::ram_offset && a[5] <= guest_bytes && a[1] <= guest_bytes - a[5];
}

bool changes_user_memory(const HostCall& call, std::uint64_t guest_bytes) {
  const auto& a = call.arguments;
  switch (call.number) {
    case SYS_mmap:
      return maps_frames(call, guest_bytes);
    case SYS_munmap:
      return in_user_memory(a[0], a[1]);
    case SYS_mprotect:
      return in_user_memory(a[0], a[1]) && is_protection(a[2]);
    default:
      return false;
  }
}

bool opens_window(const HostCall& call, std::uint64_t guest_bytes) {
  const auto& a = call.arguments;
  return call.number == SYS_mmap && a[0] == vmi::window_base && a[1] == guest_bytes &&
         a[2] == (PROT_READ | PROT_WRITE | PROT_EXEC) && a[3] == (MAP_SHARED | MAP_FIXED) &&
         a[4] == monitor::guest_memory_fd && a[5] == 0;
}

bool closes_window(const HostCall& call, std::uint64_t guest_bytes) {
  const auto& a = call.arguments;
  return call.number == SYS_munmap && a[0] == vmi::window_base && a[1] == guest_bytes;
}

}  // namespace

std::optional<CallKind> Rules::judge(const HostCall& call) const {
  if (call.arch != AUDIT_ARCH_X86_64) return {};
  if (call.ip == gate_opened && opens_window(call, guest_bytes)) return CallKind::open_window;
  if (call.ip == gate_closed && closes_window(call, guest_bytes)) return CallKind::close_window;
  if (call.ip == gate_returned && call.number == SYS_rt_sigreturn) return CallKind::leave;
  if (call.ip == host_call_ip && changes_user_memory(call, guest_bytes)) {
    return CallKind::user_memory;
  }
  if (call.ip == vmm_call_ip && call.number == vmm_call_number) return CallKind::vmm_call;
  return {};
}

}  // namespace baseline
