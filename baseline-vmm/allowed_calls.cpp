// The observer's table: see allowed_calls.h. It knows nothing of protocol.cpp's. By site.
#include "baseline-vmm/allowed_calls.h"

#include <linux/audit.h>
#include <sys/syscall.h>

#include <initializer_list>

namespace baseline {
namespace {

using Arguments = const std::uint64_t (&)[6];

bool equal(Arguments a, std::initializer_list<std::uint64_t> expected) {
  std::size_t i = 0;
  for (std::uint64_t value : expected)
    if (a[i++] != value) return false;
  return true;
}

constexpr std::uint64_t page = 4096, map_shared_fixed = 0x11, map_populate = 0x8000, memory = 3;

bool allowed_for_user_memory(std::uint64_t guest_bytes, std::uint64_t number, Arguments a) {
  const bool user_pages =
      a[0] % page == 0 && a[1] % page == 0 && a[1] != 0 && vmi::is_user_range(a[0], a[1]);
  const bool frames = a[5] % page == 0 && a[5] >= vmi::ram_offset && a[5] <= guest_bytes &&
                      a[1] <= guest_bytes - a[5];
  const bool flags = a[3] == map_shared_fixed || a[3] == (map_shared_fixed | map_populate);
  switch (number) {
    case SYS_munmap:
      return user_pages;
    case SYS_mprotect:
      return user_pages && a[2] < 8;
    case SYS_mmap:
      return user_pages && a[2] < 8 && flags && a[4] == memory && frames;
    default:
      return false;
  }
}

bool allowed_of_vmm(Arguments a) {
  switch (static_cast<VmmCall>(a[0])) {
    case VmmCall::started:
    case VmmCall::idle:
      return true;
    case VmmCall::shutdown:
    case VmmCall::device_read:
    case VmmCall::device_write:
      return a[1] >> 32 == 0;
    case VmmCall::panic:
      return a[1] >= vmi::window_base && a[1] < vmi::window_end;
  }
  return false;
}

}  // namespace

bool is_allowed(const Rules& sites, const HostCall& call, bool in_kernel) {
  if (call.arch != AUDIT_ARCH_X86_64) return false;
  Arguments a = call.arguments;
  if (!in_kernel) return call.number == SYS_getpid;  // in place of the guest's own call
  if (call.ip == sites.gate_opened)
    return call.number == SYS_mmap &&
           equal(a, {vmi::window_base, sites.guest_bytes, 7, map_shared_fixed, memory, 0});
  if (call.ip == sites.gate_closed)
    return call.number == SYS_munmap && equal(a, {vmi::window_base, sites.guest_bytes});
  if (call.ip == sites.gate_returned) return call.number == SYS_rt_sigreturn;
  if (call.ip == sites.host_call_ip)
    return allowed_for_user_memory(sites.guest_bytes, call.number, a);
  return call.ip == sites.vmm_call_ip && call.number == vmm_call_number && allowed_of_vmm(a);
}

}  // namespace baseline
